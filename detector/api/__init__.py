"""HTTP side of a worker: its page, health, readiness, metrics."""
