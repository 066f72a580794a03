"""Structured logs: camera, problem and event ids as fields, and no secret in any of them."""
