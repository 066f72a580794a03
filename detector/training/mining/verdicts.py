"""What people decided about problems, as lines of JSON:

    {"camera": "gate-3", "label": "garbage", "box": [10, 20, 60, 70], "from": "2026-03-01T08:00:00Z",
     "to": "2026-03-01T09:30:00Z", "decision": "rejected"}

`decision`: confirmed, rejected, or relabelled (then `label_now` says what it is). The box is in pixels of the
camera's frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from detector.core.detection import BoundingBox, Detection
from detector.errors import DatasetError
from detector.training.written import fault_of

SAME_PLACE = 0.3
"""IoU from which a detection is taken for the thing that was decided on."""


class Verdict(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    camera: str
    label: str
    box: tuple[float, float, float, float]
    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")
    decision: Literal["confirmed", "rejected", "relabelled"]
    label_now: str | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Verdict:
        if (self.decision == "relabelled") != (self.label_now is not None):
            raise ValueError("label_now belongs to `relabelled`, and only to it")
        if self.until < self.since:
            raise ValueError("`to` lies before `from`")
        return self

    def about(self, camera: str, at: datetime, seen: Detection) -> bool:
        """Whether it was said about this detection."""
        return (
            camera == self.camera
            and seen.label == self.label
            and self.since <= at <= self.until
            and seen.box.iou(BoundingBox(*self.box)) >= SAME_PLACE
        )


def read_verdicts(path: Path) -> list[Verdict]:
    """Read the file; raises DatasetError naming line and field."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    verdicts: list[Verdict] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            verdicts.append(Verdict.model_validate_json(line))
        except ValidationError as error:
            raise DatasetError(f"{path}:{number}: {fault_of(error)}") from error
    return verdicts


def verdict_on(verdicts: Iterable[Verdict], camera: str, at: datetime, seen: Detection) -> Verdict | None:
    """The newest verdict about a detection, or None."""
    fitting = [verdict for verdict in verdicts if verdict.about(camera, at, seen)]
    return max(fitting, key=lambda verdict: verdict.until, default=None)
