"""Annotation formats of other tools, read into and written from `detector.training.labelled`."""
