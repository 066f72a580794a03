"""The nouns of the street and the rules that move them. Pure: no I/O, no clock, no threads, no framework."""
