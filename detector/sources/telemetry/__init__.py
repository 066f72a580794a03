"""Where a moving camera was: position tracks beside a video or inside it, each in its own dialect, all as one Track."""
