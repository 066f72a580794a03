"""Command line, one thin file per kind of user; each command imports what it needs when it is called."""

from detector.cli.main import app, main

__all__ = ["app", "main"]
