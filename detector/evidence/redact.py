"""Make people and vehicles unrecognisable before a picture is written anywhere.

What is blurred:
- every face the face finder reports, with a margin, and the head of every person the model saw;
- every number plate the plate finder reports, and, less coarsely, the lower part of every vehicle the model saw, since
  plates that are foreign, slanted or small are found less well. The coarseness goes with the vehicle's size: characters
  go, the car and what lies beside it stay recognisable.

Blurring averages the pixels of a coarse grid; the values in between are gone and cannot be computed back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image
from detector.errors import EvidenceError
from detector.evidence.finders import FaceFinder, PlateFinder

PEOPLE = frozenset({"person"})
VEHICLES = frozenset({"car", "van", "truck", "bus", "minibus", "vehicle", "motorcycle", "uncovered_load"})


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the picture to blur."""

    box: BoundingBox
    cell: float  # side of the squares that are averaged, pixels


class Redactor:
    """Finds and blurs; safe to use from several threads, one picture at a time."""

    def __init__(
        self,
        *,
        people: frozenset[str] = PEOPLE,
        vehicles: frozenset[str] = VEHICLES,
        threads: int = 1,
    ) -> None:
        """`people`, `vehicles`: labels of the model that mean such. `threads`: CPU threads.

        Raises EvidenceError when the weights are missing or altered: there is no redactor without them.
        """
        self._people, self._vehicles = people, vehicles
        self._faces = FaceFinder(threads=threads)
        self._plates = PlateFinder(threads=threads)
        self._one_at_a_time = threading.Lock()

    def redact(self, image: Image, detections: Sequence[Detection] = ()) -> Image:
        """Return a copy of (H, W, 3) uint8 BGR `image` with faces and plates blurred.

        `detections`: what the model saw in this picture, at any score. Raises EvidenceError when it cannot be done.
        """
        try:
            redacted = image.copy()
            for region in self.regions(image, detections):
                blur(redacted, region)
        except EvidenceError:
            raise
        except Exception as error:
            raise EvidenceError(f"the picture could not be redacted: {error}") from error
        return redacted

    def regions(self, image: Image, detections: Sequence[Detection] = ()) -> list[Region]:
        """Everything to blur in `image`, in pixels."""
        vehicles = [found.box for found in detections if found.label in self._vehicles and found.box.width >= 32]
        people = [found.box for found in detections if found.label in self._people]
        with self._one_at_a_time:
            faces = self._faces.find(image)
            plates = self._plates.find(image, vehicles)
        # Characters are about a twentieth of a vehicle's width, faces lose their owner at five cells (both seen on
        # real pictures, docs/privacy.md).
        return [
            *(Region(lower_part(box), box.width / 24) for box in vehicles),
            *(Region(widened(box, 0.15), box.height / 2) for box in plates),
            *(Region(head(box), box.width / 4) for box in people),
            *(Region(widened(box, 0.2), min(box.width, box.height) / 4) for box in faces),
        ]


def unseen_by(labels: Iterable[str]) -> tuple[str, ...]:
    """Which of `people` and `vehicles` a model with these labels cannot report.

    Without them redaction rests on the finders alone, which miss heads turned away and plates that are slanted or
    not Chinese: worth a warning to whoever runs such a model with evidence switched on.
    """
    known = frozenset(labels)
    return tuple(name for name, wanted in (("people", PEOPLE), ("vehicles", VEHICLES)) if not known & wanted)


def blur(image: Image, region: Region) -> None:
    """Replace `region` of `image` by the averages of a coarse grid, drawn out smoothly, in place."""
    height, width = image.shape[:2]
    left, top = max(0, int(np.floor(region.box.left))), max(0, int(np.floor(region.box.top)))
    right, bottom = min(width, int(np.ceil(region.box.right))), min(height, int(np.ceil(region.box.bottom)))
    if right <= left or bottom <= top:
        return
    part = image[top:bottom, left:right]
    cell = max(region.cell, 1.0)
    grid = max(1, round((right - left) / cell)), max(1, round((bottom - top) / cell))
    averages = cv2.resize(part, grid, interpolation=cv2.INTER_AREA)
    part[:] = cv2.resize(averages, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)


def widened(box: BoundingBox, share: float) -> BoundingBox:
    """`box` with a margin of `share` of its sides all around."""
    x, y = box.width * share, box.height * share
    return BoundingBox(box.left - x, box.top - y, box.right + x, box.bottom + y)


def head(person: BoundingBox) -> BoundingBox:
    """The upper quarter of a person's box: the head, whichever way it looks."""
    return BoundingBox(person.left, person.top, person.right, person.top + person.height / 4)


def lower_part(vehicle: BoundingBox) -> BoundingBox:
    """The part of a vehicle's box in which plates are mounted: all but the upper 30 %."""
    return BoundingBox(vehicle.left, vehicle.top + 0.3 * vehicle.height, vehicle.right, vehicle.bottom)
