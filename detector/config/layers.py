"""Files laid over each other: `extends: default` or `extends: other.yaml`."""

from __future__ import annotations

from pathlib import Path

from detector.config.marked_yaml import Document, overlay, read_yaml

MOST_LAYERS = 5


def read_layers(path: Path, default: Path, layers: int = MOST_LAYERS) -> Document:
    """Read a YAML file and what it extends; `default` is the file that `extends: default` means."""
    document = read_yaml(path)
    below = document.data.get("extends")
    if not isinstance(below, str):
        return document
    if layers == 0:
        document.find(("extends",), f"more than {MOST_LAYERS} files deep", "do they extend each other?")
        return document
    base = default if below == "default" else path.parent / below
    return overlay(read_layers(base, default, layers - 1), document)
