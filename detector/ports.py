"""The three doors that have more than one thing behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detector.core.detection import Detection
from detector.core.frame import Frame, Image, Picture


class FrameSource(Protocol):
    """One opened camera, file or folder, already sampling at the wanted interval."""

    def read(self) -> Frame | None:
        """Block until the next wanted frame; None at the end of a finite source.

        Raises SourceUnreachable (no data within the read timeout, connection lost) or SourceUnreadable.
        """
        ...

    def hasten(self) -> None:
        """Give one picture before its time, as soon as one comes that costs no more than a wanted one; the interval
        after stays. From another thread too. Does nothing where pictures do not come by the clock.
        """
        ...

    def close(self) -> None:
        """Release the connection; safe to call twice and from another thread (a blocked read then ends soon)."""
        ...


Found = Callable[[], list[list[Detection]]]
"""What a run of a model found, to be asked once: one list per picture, best score first. Raises nothing."""


class Detector(Protocol):
    """A loaded model."""

    @property
    def model_version(self) -> str:
        """`name@first-12-digits-of-sha256`, written on every look and event."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in the order of the model's classes."""
        ...

    def prepare(self, image: Image) -> Picture:
        """Do ahead, on any thread, what this model does with a picture before its network runs.

        May return the picture as it is. Raises ValueError for an array that is no picture.
        """
        ...

    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        """Detect in a batch of (H, W, 3) uint8 BGR pictures of any sizes; one list per picture, best score first.

        A picture that another model has prepared is prepared anew where this one takes pictures otherwise.
        """
        ...

    def infer(self, images: Sequence[Picture]) -> Found:
        """The first part of `detect`: the network has run, and raised what it raises, when this returns.

        What it found may be asked for on another thread, while the next pictures are in the network.
        """
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one try to hand an event to an endpoint ended."""

    accepted: bool
    status: int | None = None  # HTTP status or None when there was no answer
    error: str | None = None  # one line, secrets removed
    retry_after_s: float | None = None  # the endpoint's own wish, seconds
    final: bool = False  # refused for good: no further try can help, a person must look
    blameless: bool = False  # this failure concerns the event, or us: the endpoint as a whole works
    gone: bool = False  # the endpoint says it does not exist any more (410): stop sending to it
    receipt: Mapping[str, str] = field(default_factory=dict)  # ids the endpoint gave, e.g. service_request_id


class EventSink(Protocol):
    """One endpoint that takes events."""

    def send(self, event_id: str, event_type: str, body: bytes) -> Attempt:
        """Hand over one event (a CloudEvents JSON document). Never raises for what the endpoint does."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
