"""Camera condition on real clips: quiet on good ones, right on spoilt ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.core.frame import Frame, Image
from detector.core.look import LookStatus
from detector.sources.condition import ConditionOptions, ConditionWatch
from detector.sources.options import StreamOptions
from detector.sources.picture import fingerprint, small_grey
from detector.sources.video import open_video
from tests.sources.clips import NOON, drawn, noon

FIXED = (
    "lifecycle/street-left-kerb.mp4",
    "lifecycle/two-heaps.mp4",
    "lifecycle/always-there-then-gone.mp4",
    "street/car-detection.mp4",  # a car fills the whole view
    "street/traffic-high.mp4",
    "street/motorway-mpeg4.avi",
    "street/road-msmpeg4.avi",
)
ANY_AGE = ConditionOptions(max_age_s=None)


@lru_cache(maxsize=16)
def frames(clip: Path, interval_s: float = 1.0) -> list[Frame]:
    source = open_video(str(clip), "gate", StreamOptions(interval_s=interval_s, max_width=640), noon)
    found = list(islice(iter(source.read, None), 50))
    source.close()
    return found


def spoilt(frame: Frame, change: Callable[[Image], Image]) -> Frame:
    return Frame(frame.camera_id, frame.captured_at, change(frame.image))


def warped(right: float = 0, down: float = 0, turn: float = 0, zoom: float = 1) -> Callable[[Image], Image]:
    def change(image: Image) -> Image:
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, zoom)
        matrix[:, 2] += [right * width, down * height]
        moved = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(moved, np.uint8)

    return change


def blurred(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), image.shape[1] / 320), np.uint8)


def cloth(image: Image) -> Image:
    height, width = image.shape[:2]
    soft = cv2.resize(cv2.resize(image, (8, 5), interpolation=cv2.INTER_AREA), (width, height))
    noise = np.random.default_rng(0).normal(0, 3 * width / 640, image.shape)
    return np.clip(soft + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize("interval_s", [1.0, 3.0])
def test_traffic_and_light_on_real_fixed_cameras_raise_nothing(shared: Path, name: str, interval_s: float) -> None:
    watch = ConditionWatch(ANY_AGE, noon)
    for frame in frames(shared / "clips" / name, interval_s):
        assert watch.judge(frame) == (LookStatus.OK, None), frame.captured_at - NOON
    assert watch.views_learnt == 0


@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (warped(right=0.04), LookStatus.MOVED),
        (warped(right=-0.2, down=0.05), LookStatus.MOVED),
        (blurred, LookStatus.BLURRED),
        (lambda image: (image * 0.1).astype(np.uint8), LookStatus.DARK),
        (lambda image: np.full_like(image, 130), LookStatus.COVERED),
        (cloth, LookStatus.COVERED),
    ],
    ids=["shifted", "turned away", "blurred", "dark", "grey", "cloth"],
)
def test_what_goes_wrong_is_told(
    shared: Path, name: str, change: Callable[[Image], Image], expected: LookStatus
) -> None:
    found = frames(shared / "clips" / name)
    watch = ConditionWatch(ANY_AGE, noon)
    for frame in found[:8]:
        assert watch.judge(frame)[0] is LookStatus.OK
    statuses: Counter[LookStatus] = Counter()
    for frame in found[8:26]:
        status, reason = watch.judge(spoilt(frame, change))
        statuses[status] += 1
        assert (reason is None) is (status is LookStatus.OK)
    assert statuses[expected] >= 0.8 * sum(statuses.values()), statuses


def test_another_street_is_a_moved_camera_from_the_third_look_on(shared: Path) -> None:
    here = frames(shared / "clips" / FIXED[0])
    there = frames(shared / "clips" / FIXED[1])
    watch = ConditionWatch(ANY_AGE, noon)
    for frame in here[:8]:
        watch.judge(frame)
    statuses = [
        watch.judge(Frame("gate", frame.captured_at + timedelta(minutes=1), frame.image))[0] for frame in there[:6]
    ]
    assert statuses[2:] == [LookStatus.MOVED] * 4
    back = [
        watch.judge(Frame("gate", frame.captured_at + timedelta(minutes=2), frame.image))[0] for frame in here[8:11]
    ]
    assert back == [LookStatus.OK] * 3


def test_a_lasting_new_view_becomes_the_normal_one_after_the_stated_looks(shared: Path) -> None:
    found = frames(shared / "clips" / FIXED[0])
    watch = ConditionWatch(ConditionOptions(max_age_s=None, relearn_looks=15), noon)
    for frame in found[:10]:
        watch.judge(frame)
    turned = [watch.judge(spoilt(frame, warped(right=0.1)))[0] for frame in found[10:40]]
    assert turned[:14] == [LookStatus.MOVED] * 14
    assert set(turned[14:]) == {LookStatus.OK}
    assert watch.views_learnt == 1
    assert watch.judge(found[40])[0] is LookStatus.MOVED  # the old view is now the foreign one


def test_a_moving_camera_has_no_view_to_leave(shared: Path) -> None:
    watch = ConditionWatch(ConditionOptions(max_age_s=None, fixed=False), noon)
    for frame in frames(shared / "clips" / "telemetry" / "walk-gopro-gps5.mp4"):
        assert watch.judge(frame)[0] is LookStatus.OK


def test_the_same_picture_for_long_is_frozen_and_a_new_one_frees(shared: Path) -> None:
    found = frames(shared / "clips" / FIXED[0], interval_s=10)
    watch = ConditionWatch(ANY_AGE, noon)
    assert watch.judge(found[0])[0] is LookStatus.OK
    statuses = [watch.judge(Frame("gate", NOON + timedelta(seconds=10 * n), found[0].image))[0] for n in range(1, 13)]
    assert statuses[:5] == [LookStatus.OK] * 5
    assert set(statuses[5:]) == {LookStatus.FROZEN}  # 60 s and on
    later = Frame("gate", NOON + timedelta(seconds=200), found[4].image)
    assert watch.judge(later)[0] is LookStatus.OK


def test_the_same_picture_compressed_anew_is_frozen_after_longer(shared: Path) -> None:
    picture = frames(shared / "clips" / FIXED[0])[0].image
    watch = ConditionWatch(ANY_AGE, noon)
    statuses = []
    for n in range(14):
        quality = 84 + n % 9  # as an encoder that steers its rate would vary it
        _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        statuses.append(watch.judge(Frame("gate", NOON + timedelta(minutes=n), image))[0])
    assert statuses[:10] == [LookStatus.OK] * 10
    assert statuses[-1] is LookStatus.FROZEN


def test_an_empty_street_with_sensor_noise_is_not_frozen(tmp_path: Path) -> None:
    """A drawn street without any traffic, with noise of 2 grey levels, coded as a camera would; one look a minute."""
    rng = np.random.default_rng(5)
    street = rng.integers(40, 200, (45, 80, 3), np.uint8).repeat(16, 0).repeat(16, 1)

    def picture(number: int) -> Image:
        light = 1 + 0.002 * number  # evening falls by 4 % in 20 minutes
        noisy = street / light + rng.normal(0, 2, street.shape)
        return np.clip(noisy, 0, 255).astype(np.uint8)

    clip = drawn(tmp_path / "empty.mp4", size=(1280, 720), rate=1, seconds=20, gop=1, picture=picture, crf="26")
    watch = ConditionWatch(ANY_AGE, noon)
    for n, frame in enumerate(frames(clip)):
        minute = Frame("gate", NOON + timedelta(minutes=n), frame.image)
        assert watch.judge(minute)[0] is LookStatus.OK, n


def test_old_pictures_are_stale() -> None:
    rng = np.random.default_rng(2)
    image = rng.integers(0, 255, (90, 160, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    watch = ConditionWatch(ConditionOptions(max_age_s=30), noon)
    assert watch.judge(Frame("gate", NOON - timedelta(seconds=10), image))[0] is LookStatus.OK
    status, reason = watch.judge(Frame("gate", NOON - timedelta(seconds=45), image))
    assert status is LookStatus.STALE
    assert reason == "the newest picture is 45 s old"


def test_a_gateways_logo_is_no_street(shared: Path) -> None:
    logo = np.full((360, 640, 3), 255, np.uint8)
    cv2.putText(logo, "GATEWAY", (150, 200), cv2.FONT_HERSHEY_DUPLEX, 2, (200, 80, 0), 4)
    status, reason = ConditionWatch(ANY_AGE, noon).judge(Frame("gate", NOON, logo))
    assert (status, reason) == (LookStatus.COVERED, "almost nothing but plain areas, like a logo")
    # A logo over a photograph is not plain; it must be known.
    photo = frames(shared / "clips" / FIXED[1])[0].image
    known = ConditionOptions(max_age_s=None, logos=frozenset({fingerprint(small_grey(photo))}))
    _, coded = cv2.imencode(".jpg", cv2.resize(photo, (320, 180)), [cv2.IMWRITE_JPEG_QUALITY, 40])
    seen = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    assert ConditionWatch(known, noon).judge(Frame("gate", NOON, seen))[0] is LookStatus.COVERED
    for name in FIXED[2:]:
        assert ConditionWatch(known, noon).judge(frames(shared / "clips" / name, 9)[0])[0] is LookStatus.OK


def test_the_memory_outlives_a_restart(shared: Path) -> None:
    found = frames(shared / "clips" / FIXED[0])
    watch = ConditionWatch(ANY_AGE, noon)
    for frame in found[:12]:
        watch.judge(frame)
    state = json.loads(json.dumps(watch.dump()))
    assert len(json.dumps(state)) < 60_000
    again = ConditionWatch(ANY_AGE, noon)
    again.restore(state)
    assert again.judge(spoilt(found[12], warped(right=0.1)))[0] is LookStatus.MOVED
    assert again.judge(spoilt(found[13], blurred))[0] is LookStatus.BLURRED
    assert again.judge(found[14])[0] is LookStatus.OK
    with pytest.raises(KeyError):
        again.restore({})
