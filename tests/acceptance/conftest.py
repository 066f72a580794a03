"""The models that the acceptance runs look with: the shipped one, and a smaller one where seeing is not the point."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from detector.inference.bundle import LabelEntry
from detector.inference.seal import seal


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The default model with its own thresholds."""
    return Path(__file__).parents[2] / "models" / "street-14"


@pytest.fixture(scope="session")
def starter(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real model: garbage, bin, bin_overflow. It hardly sees the blue heap of `two-heaps`."""
    folder = tmp_path_factory.mktemp("bundles") / "starter"
    seal(
        shared / "weights" / "starter-garbage.onnx",
        folder,
        name="starter",
        version="0",
        created=datetime(2026, 1, 2, tzinfo=UTC),
        licence="AGPL-3.0-or-later",
        labels=[LabelEntry(name=name, threshold=0.2) for name in ("garbage", "bin", "bin_overflow")],
        nominal_size=(416, 416),
    )
    return folder
