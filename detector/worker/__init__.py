"""Threads live here: readers, patrol, mailbox, batcher and the loop from frame to event."""
