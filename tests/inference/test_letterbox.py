"""The picture on the canvas, and boxes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.inference.letterbox import fit

sides = st.integers(1, 5000)
canvases = st.tuples(st.integers(1, 40), st.integers(1, 40)).map(lambda n: (n[0] * 32, n[1] * 32))
strides = st.sampled_from([None, 32])


@given(sides, sides, canvases, strides)
def test_the_picture_lies_in_the_middle_of_a_valid_canvas(
    width: int, height: int, canvas: tuple[int, int], stride: int | None
) -> None:
    box = fit((width, height), canvas, stride=stride)
    right = box.canvas[0] - box.scaled[0] - box.left
    bottom = box.canvas[1] - box.scaled[1] - box.top
    assert 0 <= right - box.left <= 1
    assert 0 <= bottom - box.top <= 1
    assert box.canvas[0] <= canvas[0]
    assert box.canvas[1] <= canvas[1]
    if stride is None:
        assert box.canvas == canvas
    else:
        assert box.canvas[0] % stride == 0
        assert box.canvas[1] % stride == 0
        assert right + box.left < stride
        assert bottom + box.top < stride
    assert box.scaled[0] == canvas[0] or box.scaled[1] == canvas[1]


@given(sides, sides, canvases, strides, st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_a_box_survives_the_round_trip(
    width: int, height: int, canvas: tuple[int, int], stride: int | None, corners: list[float]
) -> None:
    left, right = sorted(corners[:2])
    top, bottom = sorted(corners[2:])
    box = np.array([[left * width, top * height, right * width, bottom * height]], np.float32)
    place = fit((width, height), canvas, stride=stride)
    on_canvas = place.to_canvas(box)
    assert (on_canvas >= -1e-3).all()
    assert (on_canvas <= np.array([*place.canvas, *place.canvas]) + 1e-3).all()
    back = place.to_source(on_canvas)
    # float32 carries about seven digits, and a picture of one pixel on the canvas magnifies them
    tolerance = 2e-6 * max(width, height) * max(1.0, width / place.scaled[0], height / place.scaled[1]) * 50
    assert np.abs(back - box).max() <= tolerance


@given(sides, sides, canvases)
def test_boxes_beyond_the_picture_are_clipped_to_it(width: int, height: int, canvas: tuple[int, int]) -> None:
    place = fit((width, height), canvas)
    back = place.to_source(np.array([[-1e6, -1e6, 1e6, 1e6]], np.float32))
    assert back.tolist() == [[0, 0, width, height]]


def test_the_picture_is_painted_where_the_boxes_say() -> None:
    image = np.zeros((90, 160, 3), np.uint8)
    image[30:60, 40:80] = 255
    place = fit((160, 90), (640, 640))
    canvas = place.apply(image)
    assert canvas.shape == (640, 640, 3)
    assert (canvas[: place.top] == 114).all()
    assert (canvas[place.top + place.scaled[1] :] == 114).all()
    bright = np.argwhere(canvas[:, :, 0] > 200)
    (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0) + 1
    back = place.to_source(np.array([[left, top, right, bottom]], np.float32))[0]
    assert np.abs(back - [40, 30, 80, 60]).max() <= 0.5


def test_an_empty_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="empty picture"):
        fit((0, 10), (640, 640))


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="letterbox was made for"):
        fit((10, 10), (64, 64)).apply(np.zeros((11, 10, 3), np.uint8))
