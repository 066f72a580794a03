"""What a dispatcher sees."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest

from detector.core.detection import BoundingBox
from detector.errors import EvidenceError
from detector.evidence import picture
from detector.evidence.picture import Caption, annotate, encode, note_of

CAPTION = Caption(
    category_id="exposed_garbage",
    category_name="暴露垃圾",
    label="garbage",
    score=0.834,
    camera_id="cam-7",
    camera_name="人民路 7 号",
    at=datetime(2026, 3, 1, 16, 30, tzinfo=UTC),
    timezone=ZoneInfo("Asia/Shanghai"),
)


def test_lines_tell_what_when_and_where_in_the_cameras_time() -> None:
    first, second = CAPTION.lines()
    assert "暴露垃圾" in first
    assert "garbage 0.83" in first
    assert second == "2026-03-02 00:30:00+08:00  人民路 7 号"


def test_without_a_font_ids_stand_for_names() -> None:
    first, second = CAPTION.lines(ascii_only=True)
    assert (first + second).isascii()
    assert first == "exposed_garbage - garbage 0.83"
    assert second.endswith("cam-7")


@pytest.mark.parametrize("unicode_font", [True, False])
def test_the_box_is_drawn_and_the_picture_is_not_written_over(
    monkeypatch: pytest.MonkeyPatch, unicode_font: bool
) -> None:
    if unicode_font and not picture.HAS_UNICODE_FONT:
        pytest.skip("this OpenCV brings no font with Chinese characters")
    monkeypatch.setattr(picture, "HAS_UNICODE_FONT", unicode_font)
    image = np.full((360, 640, 3), 90, np.uint8)
    drawn = annotate(image, BoundingBox(100, 50, 300, 250), CAPTION)
    assert drawn.shape[1] == 640
    assert drawn.shape[0] > 360
    changed = (drawn[:360] != image).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert abs(int(columns.min()) - 100) <= 2
    assert abs(int(columns.max()) - 299) <= 2
    assert abs(int(rows.min()) - 50) <= 2
    assert abs(int(rows.max()) - 249) <= 2
    assert not changed[60:240, 110:290].any(), "only the frame of the box is drawn"
    strip = drawn[360:]
    assert (strip == 255).any(), "the caption is there"
    assert not (strip[:, -5:] > 200).any(), "and fits"
    assert (annotate(image, None, CAPTION)[:360] == image).all()


@pytest.mark.skipif(not picture.HAS_UNICODE_FONT, reason="this OpenCV brings no font with Chinese characters")
def test_chinese_is_rendered_as_characters_not_as_boxes() -> None:
    def ink(text: str) -> np.ndarray:
        canvas = np.zeros((40, 60, 3), np.uint8)
        picture._write(canvas, text, (5, 30), 24)
        return canvas

    glyphs = [ink(character) for character in "暴露垃圾店外经营"]
    assert all(glyph.any() for glyph in glyphs)
    for index, glyph in enumerate(glyphs):
        assert all((glyph != other).any() for other in glyphs[index + 1 :]), "a missing glyph looks like any other"


@pytest.mark.parametrize("length", [3, 60, 400])
def test_long_names_shrink_to_fit(length: int) -> None:
    from dataclasses import replace

    image = np.zeros((200, 300, 3), np.uint8)
    strip = annotate(image, None, replace(CAPTION, camera_name="路" * length))[200:]
    if length <= 60:
        assert not (strip[:, -3:] > 200).any()


def test_jpeg_is_readable_and_carries_its_note() -> None:
    image = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8), (0, 0), 5)
    note = {"event": "e-1", "category": "exposed_garbage", "name": "暴露垃圾"}
    content = encode(image, note)
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded.astype(int) - image).mean() < 3
    assert note_of(content) == note
    assert note_of(content[:1000]) == note
    assert note_of(b"\xff\xd8\xff\xe0rest") == {}
    assert note_of(b"\xff\xd8\xff\xfe\x00\x05{x}") == {}
    assert note_of(b"") == {}


def test_what_cannot_be_encoded_is_our_own_error() -> None:
    with pytest.raises(EvidenceError, match="cannot be encoded"):
        encode(np.zeros((0, 10, 3), np.uint8), {})
    with pytest.raises(EvidenceError, match="does not fit"):
        encode(np.zeros((10, 10, 3), np.uint8), {"text": "x" * 70_000})
