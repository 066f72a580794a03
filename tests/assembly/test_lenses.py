"""How cameras are judged follows the settings, also for cameras that are read already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.assembly import Lenses, logos_of
from detector.config import SamplingSettings, Settings
from detector.core.frame import Frame, Image
from detector.core.look import LookStatus
from detector.errors import ConfigError
from tests.sources.clips import now
from tests.worker.doubles import camera


def photo(seed: int) -> Image:
    """Something that is not plain."""
    cells = np.random.default_rng(seed).integers(0, 255, (45, 80, 3), np.uint8)
    return cells.repeat(8, 0).repeat(8, 1)


def settings(tmp_path: Path, *logos: Image, max_age_s: float = 30) -> Settings:
    paths = []
    for number, logo in enumerate(logos):
        paths.append(tmp_path / f"logo-{number}.png")
        cv2.imwrite(str(paths[-1]), logo)
    return Settings(sampling=SamplingSettings(logos=tuple(paths), max_age=timedelta(seconds=max_age_s)))


def frame(image: Image, age_s: float = 0.0) -> Frame:
    return Frame("a", now() - timedelta(seconds=age_s), image)


def test_a_named_logo_is_no_street_and_a_change_reaches_cameras_that_are_read(tmp_path: Path) -> None:
    lenses = Lenses(settings(tmp_path))
    judge = lenses.condition(camera("a"))
    assert judge(frame(photo(1))).status is LookStatus.OK
    named = settings(tmp_path, photo(2)[::2, ::2])
    lenses.change(named, logos_of(named))
    found = judge(frame(photo(2)))
    assert (found.status, found.reason) == (LookStatus.COVERED, "the gateway's own picture instead of the camera's")
    assert judge(frame(photo(1))).status is LookStatus.OK


def test_the_age_from_which_pictures_are_stale_changes_too(tmp_path: Path) -> None:
    lenses = Lenses(settings(tmp_path))
    judge = lenses.condition(camera("a", interval_s=1.0))
    assert judge(frame(photo(1), age_s=100)).status is LookStatus.STALE
    lenses.change(settings(tmp_path, max_age_s=300), frozenset())
    assert judge(frame(photo(1), age_s=100)).status is LookStatus.OK


def test_a_logo_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    wrong = Settings(sampling=SamplingSettings(logos=(tmp_path / "no-such.png",)))
    with pytest.raises(ConfigError, match=r"sampling\.logos: .*no-such\.png"):
        Lenses(wrong)


@pytest.mark.parametrize("moving", [True, False])
def test_only_a_fixed_camera_can_be_turned(tmp_path: Path, moving: bool) -> None:
    judge = Lenses(settings(tmp_path)).condition(replace(camera("a"), moving=moving))
    found = {
        judge(frame(photo(1), age_s=20)).status,
        *(judge(frame(photo(n), age_s=12 - n)).status for n in range(2, 8)),
    }
    assert (LookStatus.MOVED in found) is not moving
    assert LookStatus.OK in found
