"""Files that come with the product: beside the package in a checkout, inside it once installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped(relative: str) -> Path:
    """Where `relative` (e.g. `configs/categories.yaml`, `models/street-14`) is; it may not exist.

    An installed package carries these files under detector/shipped (see pyproject.toml), a checkout at its root.
    """
    installed = _PACKAGE / "shipped" / relative
    return installed if installed.exists() else _PACKAGE.parent / relative
