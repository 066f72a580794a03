"""The double: a Detector that says what it was told to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from detector.core.detection import Detection
from detector.core.frame import Image, Picture, plain
from detector.ports import Found


class ScriptedDetector:
    """Answers from a script; remembers how many pictures each call brought in `batches`."""

    def __init__(
        self,
        script: Callable[[Image], Sequence[Detection]] | Iterable[Sequence[Detection]] = (),
        *,
        labels: Sequence[str] = (),
        model_version: str = "scripted@000000000000",
    ) -> None:
        """Take a function of the picture, or a sequence of answers, one a picture; nothing once it has run out."""
        self._answer: Callable[[Image], Sequence[Detection]]
        if callable(script):
            self._answer = script
        else:
            answers = iter(script)
            self._answer = lambda image: next(answers, ())
        self._labels = tuple(labels)
        self._model_version = model_version
        self.batches: list[int] = []

    @property
    def model_version(self) -> str:
        """As given."""
        return self._model_version

    @property
    def labels(self) -> tuple[str, ...]:
        """As given."""
        return self._labels

    def prepare(self, image: Image) -> Picture:
        """There is nothing to do ahead."""
        return image

    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        """The script's answers, best score first."""
        return self.infer(images)()

    def infer(self, images: Sequence[Picture]) -> Found:
        """The script is read at once."""
        self.batches.append(len(images))
        answers = [sorted(self._answer(plain(image)), key=lambda found: -found.score) for image in images]
        return lambda: answers
