"""Street-problem detector: cameras in, dispatched cases out. See ARCHITECTURE.md for the one way through the house."""

__version__ = "0.1.0"
