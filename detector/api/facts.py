"""What the page of a worker tells besides what is in its database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from detector.core.camera import Camera


@dataclass(frozen=True, slots=True)
class Facts:
    """A worker as it is at the moment."""

    site: str = "street-detector"
    worker_id: str = ""
    model: str | None = None  # name and version of the one in force
    cameras: Mapping[str, Camera] | None = None  # those of the settings, by id; None: whatever the database knows
    desk: str | None = None  # where the cases are, without secrets
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))  # times are shown in it
