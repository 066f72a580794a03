"""The picture that goes with a problem: redacted first, then drawn on, then written."""
