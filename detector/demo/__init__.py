"""The demo: our own footage over a real protocol, the worker, the desk and its page on one machine."""
