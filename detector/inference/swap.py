"""Change the model under a running worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.core.detection import Detection
from detector.core.frame import Image, Picture
from detector.errors import BundleError, ConfigError
from detector.inference.bundle import MANIFEST
from detector.ports import Detector, Found


@dataclass(frozen=True, slots=True)
class Swap:
    """How an attempt to change the model ended."""

    accepted: bool
    model_version: str  # of the model in force afterwards
    reason: str | None = None  # why the new bundle was refused


class BundleWatch:
    """Tells when another bundle was put in place: a promotion replaces the manifest, or the link to the folder."""

    def __init__(self, folder: Path) -> None:
        self._stamp = _stamp(folder)

    def replaced(self, folder: Path) -> bool:
        """Whether the bundle in `folder` is another one than at the last call (at first: than when this was made)."""
        stamp = _stamp(folder)
        if stamp is None or stamp == self._stamp:
            return False
        self._stamp = stamp
        return True


def _stamp(folder: Path) -> tuple[Path, int] | None:
    try:
        manifest = (folder / MANIFEST).resolve()
        return manifest, manifest.stat().st_mtime_ns
    except OSError:
        return None


class HotSwap:
    """A Detector that stands for whichever model is in force.

    A run that has begun ends on the model it began with. Whoever needs the version that made certain detections
    takes `current` once and asks that object for both.
    """

    def __init__(self, first: Detector, open_bundle: Callable[[Path], Detector]) -> None:
        """Start with `first`; `open_bundle` loads and self-tests a folder and raises BundleError if it is unfit."""
        self._current = first
        self._open = open_bundle
        self._one_at_a_time = threading.Lock()

    @property
    def current(self) -> Detector:
        """The model in force."""
        return self._current

    @property
    def model_version(self) -> str:
        """Version of the model in force."""
        return self._current.model_version

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the model in force."""
        return self._current.labels

    def prepare(self, image: Image) -> Picture:
        """Prepare a picture for the model in force."""
        return self._current.prepare(image)

    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        """Detect with the model in force."""
        return self._current.detect(images)

    def infer(self, images: Sequence[Picture]) -> Found:
        """Run the model in force."""
        return self._current.infer(images)

    def load(self, path: Path) -> Swap:
        """Open the bundle in `path` and put it in force; a bundle that is unfit changes nothing.

        The old model goes on working while the new one is loaded and tested.
        """
        with self._one_at_a_time:
            try:
                fresh = self._open(path)
            except (BundleError, ConfigError) as error:
                return Swap(False, self._current.model_version, str(error))
            self._current = fresh  # one reference, replaced atomically
            return Swap(True, fresh.model_version)
