"""Command line, one thin file per kind of user."""
