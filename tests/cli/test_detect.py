"""`detector detect` tells what it sees while it looks, in one document or line by line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from detector.cli import detect as module
from detector.cli.main import app
from detector.core.frame import Frame
from detector.errors import SourceUnreachable
from tests.acceptance.drawn import colour_bundle, write_clip

BEGAN = datetime(2026, 5, 1, 8, tzinfo=UTC)


class Flushed(io.StringIO):
    """What a reader at the other end of a pipe has."""

    def __init__(self) -> None:
        super().__init__()
        self.there = ""

    def flush(self) -> None:
        super().flush()
        self.there = self.getvalue()


class Video:
    """A clean picture, then one with garbage; notes what has been told by the time the next one is asked for."""

    def __init__(self, out: Flushed, end: BaseException | None = None) -> None:
        self.out, self._end = out, end
        self.told: list[str] = []

    def frames(self, target: str, _every_s: float, _most: int) -> Iterator[Frame]:
        for number, red in enumerate((20, 220)):
            image = np.full((48, 64, 3), 20, np.uint8)
            image[:, :, 2] = red
            yield Frame(target, BEGAN + timedelta(seconds=number), image)
            self.told.append(self.out.there)
        if self._end is not None:
            raise self._end


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return colour_bundle(tmp_path / "colours")


@pytest.fixture
def out() -> Flushed:
    return Flushed()


def looked(video: Video, model: Path, monkeypatch: pytest.MonkeyPatch, *targets: str, **how: Any) -> int:
    """Look at these; the exit code."""
    monkeypatch.setattr(module, "_frames", video.frames)
    with pytest.raises(typer.Exit) as ended, redirect_stdout(video.out):
        module.detect(list(targets), model=model, **how)
    return int(ended.value.exit_code)


def test_each_picture_is_a_line_as_soon_as_it_has_been_looked_at(
    model: Path, out: Flushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = Video(out, SourceUnreachable("north: it went away"))
    assert looked(video, model, monkeypatch, "north", json_lines=True) == 1
    assert [text.count("\n") for text in video.told] == [1, 2]
    *pictures, failure = map(json.loads, out.there.splitlines())
    assert [list(one) for one in pictures] == [["model", "source", "at", "detections", "saved"]] * 2
    assert [[d["label"] for d in one["detections"]] for one in pictures] == [[], ["garbage"]]
    assert {one["model"].partition("@")[0] for one in pictures} == {"colours"}
    assert failure == {"source": "north", "error": "north: it went away"}


def test_the_one_document_grows_with_each_picture(model: Path, out: Flushed, monkeypatch: pytest.MonkeyPatch) -> None:
    video = Video(out)
    assert looked(video, model, monkeypatch, "north", "south", as_json=True) == 0
    assert [text.count('"saved"') for text in video.told] == [1, 2, 3, 4]
    assert [one["source"] for one in json.loads(out.there)["pictures"]] == ["north", "north", "south", "south"]


@pytest.mark.parametrize("how", ["as_json", "json_lines"])
def test_ctrl_c_leaves_what_was_told_whole(
    how: str, model: Path, out: Flushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = Video(out, KeyboardInterrupt())
    assert looked(video, model, monkeypatch, "north", "south", **{how: True}) == 130
    told: list[Any] = [json.loads(out.there)] if how == "as_json" else list(map(json.loads, out.there.splitlines()))
    pictures = told[0]["pictures"] if how == "as_json" else told
    assert [one["source"] for one in pictures] == ["north", "north"]


@pytest.mark.parametrize("targets", [("clip.mp4",), ("clip.mp4", "none.jpg"), ("none.jpg",)])
def test_the_document_is_written_as_if_in_one_piece(tmp_path: Path, model: Path, targets: tuple[str, ...]) -> None:
    write_clip(tmp_path / "clip.mp4", 2, range(1, 2))
    words = ["detect", *(str(tmp_path / name) for name in targets), "--model", str(model), "--every", "1", "--json"]
    result = CliRunner().invoke(app, words)
    told = json.loads(result.stdout)
    assert result.stdout == json.dumps(told, indent=2) + "\n"
    assert list(told) == ["model", "pictures", "failed"]
    assert len(told["pictures"]) == 2 * targets.count("clip.mp4")
    assert len(told["failed"]) == targets.count("none.jpg") == result.exit_code
    assert all(list(one) == ["source", "at", "detections", "saved"] for one in told["pictures"])
