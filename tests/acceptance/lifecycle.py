"""The lifecycle clips with their truth, and what a run made of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from detector.core.detection import BoundingBox
from detector.core.problem import Problem

CLIPS = ("always-there-then-gone", "street-left-kerb", "two-heaps")
INTERVAL_S = 2.0
CONFIRM_S, CLEAR_S = 6.0, 8.0
"""Short times, as the clips last two minutes: three of six looks over 6 s confirm, four without over 8 s clear."""

CATEGORIES = {
    "extends": "default",
    "categories": {
        "exposed_garbage": {
            "confirm": {"looks": 3, "of": 6, "dwell": "6 s"},
            "clear": {"looks": 4, "after": "8 s", "reopen_within": "24 h"},
        }
    },
}


@dataclass(frozen=True, slots=True)
class Truth:
    """One rubbish heap that truly lies there for a time."""

    clip: str
    box: BoundingBox
    appears_s: float
    cleared_s: float


def truths(shared: Path, clip: str) -> list[Truth]:
    """What the clip's truth file says."""
    told = json.loads((shared / "clips" / "lifecycle" / f"{clip}.json").read_text())
    return [
        Truth(clip, BoundingBox(*problem["box_xyxy"]), problem["appears_s"], problem["cleared_s"])
        for problem in told["problems"]
    ]


def settings_file(
    folder: Path,
    cameras: dict[str, str],
    model: Path,
    endpoints: list[dict[str, object]] | None = None,
    input_size: int | None = None,
) -> Path:
    """Write the settings of an installation that looks at `cameras` (id -> address) in `folder`.

    `input_size`: side of the model's canvas in pixels, its own if None.
    """
    (folder / "categories.yaml").write_text(yaml.safe_dump(CATEGORIES))
    written = {
        "site": "acceptance",
        "timezone": "Asia/Ho_Chi_Minh",
        "model": {"path": str(model), "threads": 1} | ({"input_size": input_size} if input_size else {}),
        "database": "sqlite:///street.db",
        "evidence": {"directory": "evidence"},
        "categories": "categories.yaml",
        "sampling": {"interval": INTERVAL_S, "open_timeout": "10 s"},
        "cameras": [{"id": name, "url": url} for name, url in cameras.items()],
        "endpoints": endpoints or [],
        "api": {"port": 0},
    }
    path = folder / "fleet.yaml"
    path.write_text(yaml.safe_dump(written))
    return path


def at_the_place(problems: list[Problem], truth: Truth) -> list[Problem]:
    """Announced problems of the clip that lie where the heap lies."""
    return [p for p in problems if p.camera_id == truth.clip and p.revision and p.place.box.iou(truth.box) >= 0.3]


def seconds_after(start: datetime, moment: datetime | None) -> float:
    """Seconds of the clip at `moment`."""
    assert moment is not None
    return (moment - start) / timedelta(seconds=1)
