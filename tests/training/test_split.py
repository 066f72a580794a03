"""Splits: no group in two of them, the same seed the same split, and nothing moves when data is added."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.errors import DatasetError
from detector.training.labelled import LabelledPicture
from detector.training.likeness import Hash
from detector.training.split import Shares, key, shared_keys, split_pictures
from tests.training.conftest import picture

SHARES = Shares(val=0.25, test=0.15)


@st.composite
def street(draw: st.DrawFn) -> tuple[list[LabelledPicture], list[Hash | None]]:
    """Pictures with a group, or a time, or neither; hashes that are far apart or, now and then, the same."""
    pictures: list[LabelledPicture] = []
    hashes: list[Hash | None] = []
    for number in range(draw(st.integers(1, 40))):
        kind = draw(st.sampled_from(["group", "time", "name"]))
        day = datetime(2026, 1, 1) + timedelta(hours=draw(st.integers(0, 200)))  # noqa: DTZ001
        pictures.append(
            replace(
                picture(name=f"p{number}.rf.{number:08x}" if number % 3 else f"p{number // 9}"),
                source=draw(st.sampled_from(["north", "south"])),
                split=None,
                group=f"cam{draw(st.integers(0, 6))}" if kind == "group" else None,
                captured_at=day if kind == "time" else None,
            )
        )
        hashes.append(draw(st.sampled_from([None, number * 0x1F1F1F1F1F1F1F1 % 2**64, 0xABCDEF])))
    return pictures, hashes


@given(street(), st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_nothing_that_belongs_together_is_divided(
    scene: tuple[list[LabelledPicture], list[Hash | None]], seed: int
) -> None:
    pictures, hashes = scene
    divided = split_pictures(pictures, hashes, SHARES, seed)
    assert shared_keys(divided) == {}
    for index, value in enumerate(hashes):
        for other in range(index):
            if value is not None and hashes[other] == value:
                assert divided[index].split == divided[other].split
    assert {item.split for item in divided} <= {"train", "val", "test"}
    assert [replace(item, split=None) for item in divided] == pictures
    assert divided == split_pictures(pictures, hashes, SHARES, seed)


@given(street(), street())
@settings(max_examples=150, deadline=None)
def test_adding_pictures_moves_no_picture_that_nothing_new_ties_to_another(
    old: tuple[list[LabelledPicture], list[Hash | None]], new: tuple[list[LabelledPicture], list[Hash | None]]
) -> None:
    pictures = old[0]
    before = split_pictures(pictures, [None] * len(pictures), SHARES)
    fresh = [replace(item, source="west") for item in new[0]]
    mixed = split_pictures([*fresh, *pictures], [None] * (len(fresh) + len(pictures)), SHARES)
    assert mixed[len(fresh) :] == before
    # A new picture of a known group follows the group.
    again = split_pictures([*pictures, pictures[0]], [None] * (len(pictures) + 1), SHARES)
    assert again[-1].split == before[0].split


def test_a_given_split_stands_and_training_wins_where_new_pictures_tie_two_together() -> None:
    first = replace(picture(name="a", group="a"), split="val")
    second = replace(picture(name="b", group="b"), split="train")
    bridge = replace(picture(name="c", group="c"), split=None)
    apart = split_pictures([first, second, bridge], [None, None, None], SHARES)
    assert [item.split for item in apart[:2]] == ["val", "train"]
    tied = split_pictures([first, second, bridge], [7, 7, 7], SHARES)
    assert [item.split for item in tied] == ["train"] * 3


def test_shares_are_met_roughly_and_the_seed_matters() -> None:
    pictures = [replace(picture(name=str(index), group=str(index)), split=None) for index in range(2000)]
    nothing = [None] * len(pictures)
    first = [item.split for item in split_pictures(pictures, nothing, SHARES, 0)]
    assert 0.21 < first.count("val") / 2000 < 0.29
    assert 0.11 < first.count("test") / 2000 < 0.19
    assert first != [item.split for item in split_pictures(pictures, nothing, SHARES, 1)]


def test_a_picture_is_kept_by_group_then_day_then_name() -> None:
    bare = replace(picture(name="x", source="s"), path=Path("photo_7.rf.0123456789abcdef.jpg"))
    assert key(bare) == "s/name/photo_7"
    timed = replace(bare, captured_at=datetime(2026, 5, 6, 7))  # noqa: DTZ001
    assert key(timed) == "s/day/2026-05-06"
    assert key(replace(timed, group="cam")) == "s/group/cam"


def test_impossible_shares_are_refused() -> None:
    with pytest.raises(DatasetError, match="train"):
        Shares(val=0.6, test=0.4)
