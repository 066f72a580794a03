"""Photos that people send: who may, how many, and when two of them mean one problem."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from detector.config.sinks import Secret
from detector.config.strict import Strict
from detector.config.values import PositiveDuration


class IntakeSettings(Strict):
    """The door for photos, `detector intake`."""

    host: str = "127.0.0.1"
    """Address to listen on; the default is reachable from this machine only."""
    port: int = Field(default=8810, ge=0, le=65535)
    """0: any free port."""
    tokens: tuple[Secret, ...] = ()
    """Whoever sends photos shows one of these (`Authorization: Bearer ...`); at least one is needed to start."""
    photos_per_minute: int = Field(default=30, ge=1)
    """From one reporter, or from one token where none is named."""
    max_megabytes: float = Field(default=15.0, gt=0, le=100)
    """Of a whole request."""
    max_megapixels: float = Field(default=50.0, gt=0, le=100)
    """Of a photo, told by its header before anything is decoded."""
    at_once: int = Field(default=2, ge=1, le=64)
    """Photos being judged at the same time; more are asked to come again."""
    same_within_m: float = Field(default=30.0, ge=0, le=1000)
    """An open problem of the same category so near is the same problem; phones are often 10 to 20 m off."""
    remember: PositiveDuration = timedelta(days=14)
    """A problem that only photos have shown counts as the same for so long; nobody looks again by itself."""
    oldest: PositiveDuration = timedelta(days=7)
    """A photo that is older is refused."""
