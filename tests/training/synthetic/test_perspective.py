from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.synthetic.perspective import Box, View, choose_row, place_free

STREET = View(horizon=0.3, height=1.6)


@given(x=st.floats(-8, 8), ahead=st.floats(1.0, 60.0))
def test_a_ground_point_is_seen_at_the_row_of_its_distance(x: float, ahead: float) -> None:
    column, row = STREET.project(x, ahead, 640, 480)
    assert STREET.ahead(row, 480, 640) == pytest.approx(ahead, rel=1e-6)
    assert column - 320 == pytest.approx(x * STREET.pixels_per_metre(row, 480), abs=1e-6)


def test_nearer_is_larger_and_seen_more_steeply() -> None:
    rows = range(160, 480, 20)
    sizes = [STREET.pixels_per_metre(row, 480) for row in rows]
    pitches = [STREET.pitch(row, 480, 640) for row in rows]
    assert sizes == sorted(sizes)
    assert pitches == sorted(pitches)
    assert STREET.pixels_per_metre(0.3 * 480, 480) == 0


def test_one_metre_below_a_camera_looking_straight_at_the_horizon() -> None:
    # 1.6 m high, 10 m ahead, focal 0.87 * 640 px: 89.1 px below the horizon, 55.7 px per metre
    _, row = STREET.project(0, 10, 640, 480)
    assert row - 144 == pytest.approx(0.87 * 640 * 1.6 / 10)
    assert STREET.pixels_per_metre(row, 480) == pytest.approx(0.87 * 640 / 10)
    assert STREET.pitch(row, 480, 640) == pytest.approx(math.degrees(math.atan(0.16)))


@given(seed=st.integers(0, 10_000), metres=st.floats(0.5, 4), smallest=st.floats(10, 60), span=st.floats(2, 8))
def test_a_chosen_row_gives_the_wanted_size(seed: int, metres: float, smallest: float, span: float) -> None:
    row = choose_row(Random(seed), STREET, 480, metres, smallest, smallest * span)
    if row is None:
        return
    assert smallest - 1e-6 <= metres * STREET.pixels_per_metre(row, 480) <= smallest * span + 1e-6
    assert row <= 0.98 * 480


def test_no_row_when_nothing_on_the_ground_could_be_that_large() -> None:
    assert choose_row(Random(1), View(0.3, 8.0), 480, 0.5, 300, 400) is None


def test_places_keep_clear_of_annotated_objects_and_of_the_edge() -> None:
    taken = [Box(100, 100, 200, 200)]
    assert place_free(Box(220, 100, 300, 200), taken, 640, 480)
    assert not place_free(Box(150, 100, 250, 200), taken, 640, 480)
    assert not place_free(Box(90, 90, 400, 400), taken, 640, 480), "would swallow the annotated object"
    assert not place_free(Box(600, 100, 700, 200), taken, 640, 480), "more than 30 % outside"
    assert place_free(Box(560, 100, 650, 200), taken, 640, 480)
