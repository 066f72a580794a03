"""HTTP side of a worker: health, readiness, metrics."""
