"""One thing that the model calls by two names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from detector.core.category import Category, ConfirmationPolicy
from detector.core.detection import BoundingBox, Detection
from detector.core.judging import Decide, judge, labels_alone
from detector.core.look import Look, LookStatus
from detector.core.problem import Place, Problem, ProblemStatus
from detector.core.rules import Outcome

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
POLICY = ConfirmationPolicy(looks=3, of=5, dwell=timedelta(minutes=4))
BIN = Category("bin_overflow", {}, frozenset({"bin_overflow"}), POLICY)
COVER = Category("manhole_abnormal", {}, frozenset({"manhole"}), POLICY)
BICYCLE = Category("nonmotor_parking", {}, frozenset({"bicycle"}), POLICY, needs="outside:legal_bay")
CATEGORIES = {one.id: one for one in (BIN, COVER, BICYCLE)}
BOX = BoundingBox(100, 100, 300, 300)


class Street:
    """Looks at one camera, a minute apart."""

    def __init__(self, decide: Decide = labels_alone) -> None:
        self.known: dict[str, Problem] = {}
        self.decide = decide
        self.minute = 0
        self.ids: Iterator[str] = (f"p{number}" for number in count())

    def look(self, *detections: Detection) -> None:
        self.minute += 1
        at = START + timedelta(minutes=self.minute)
        seen = Look("cam", at, LookStatus.OK, detections, size=(1920, 1080))
        for change in judge(seen, list(self.known.values()), CATEGORIES, lambda: next(self.ids), self.decide):
            self.known[change.problem.id] = change.problem

    def opened(self) -> list[str]:
        return sorted(one.category for one in self.known.values() if one.status is ProblemStatus.OPEN)


def test_looks_without_the_first_name_do_not_open_a_second_case() -> None:
    street = Street()
    for _ in range(6):
        street.look(Detection("bin_overflow", BOX, 0.8))
    assert street.opened() == ["bin_overflow"]
    for _ in range(12):
        street.look(Detection("manhole", BOX, 0.9))
        street.look(Detection("bin_overflow", BOX, 0.8), Detection("manhole", BOX, 0.9))
    assert street.opened() == ["bin_overflow"]


def test_the_second_name_has_its_turn_once_the_first_one_is_gone() -> None:
    street = Street()
    for _ in range(6):
        street.look(Detection("bin_overflow", BOX, 0.8))
    for _ in range(40):
        street.look(Detection("manhole", BOX, 0.9))
    assert street.opened() == ["manhole_abnormal"]


def case_everywhere(category: Category, _place: Place) -> Outcome:
    return Outcome(True, f"category:{category.id}")


def test_what_needs_a_zone_is_an_opinion_where_it_is_a_case() -> None:
    both = Detection("bicycle", BOX, 0.8), Detection("bin_overflow", BOX, 0.6)
    street, elsewhere = Street(case_everywhere), Street()
    for _ in range(8):
        street.look(*both)
        elsewhere.look(*both)
    assert street.opened() == ["nonmotor_parking"]
    assert elsewhere.opened() == ["bin_overflow"]  # a bicycle that is no case is context


def test_a_vehicle_that_stands_in_front_hides_whatever_it_is_an_opinion_on() -> None:
    street = Street(case_everywhere)
    for _ in range(6):
        street.look(Detection("bin_overflow", BOX, 0.8))
    for _ in range(30):
        street.look(Detection("bicycle", BoundingBox(90, 90, 310, 310), 0.9))
    assert street.opened() == ["bin_overflow"]


def test_one_thing_that_was_first_seen_in_two_parts_is_one_case() -> None:
    left, right = BoundingBox(100, 100, 205, 300), BoundingBox(195, 100, 300, 300)
    street = Street()
    street.look(Detection("bin_overflow", left, 0.8), Detection("bin_overflow", right, 0.7))
    for number in range(20):
        shift = 25 if number % 2 else -25  # the whole box overlaps now the one part more, now the other
        whole = BoundingBox(100 + shift, 100, 300 + shift, 300)
        street.look(Detection("bin_overflow", whole, 0.8))
    assert street.opened() == ["bin_overflow"]


def test_two_things_side_by_side_stay_two_cases() -> None:
    street = Street()
    for _ in range(8):
        street.look(
            Detection("bin_overflow", BoundingBox(100, 100, 300, 300), 0.8),
            Detection("bin_overflow", BoundingBox(200, 100, 400, 300), 0.8),
        )
    assert street.opened() == ["bin_overflow"]  # IoU 0.33 is one thing in a first look
    street = Street()
    for _ in range(8):
        street.look(
            Detection("bin_overflow", BoundingBox(100, 100, 300, 300), 0.8),
            Detection("bin_overflow", BoundingBox(250, 100, 450, 300), 0.8),
        )
    assert street.opened() == ["bin_overflow", "bin_overflow"]


def test_a_sighting_that_fits_poorly_is_one_but_does_not_move_the_place() -> None:
    street = Street()
    for _ in range(6):
        street.look(Detection("bin_overflow", BOX, 0.8))
    for _ in range(6):
        street.look(Detection("bin_overflow", BoundingBox(100, 100, 550, 300), 0.8))  # IoU 0.44
    (found,) = street.known.values()
    assert (found.sightings, found.place.box) == (12, BOX)
    for _ in range(20):
        street.look(Detection("bin_overflow", BoundingBox(100, 100, 350, 300), 0.8))  # it has grown
    (found,) = street.known.values()
    assert found.place.box.right > 345


def test_the_other_names_of_a_thing_are_counted_until_it_is_told() -> None:
    street = Street()
    for number in range(6):
        weak, sure = Detection("manhole", BOX, 0.3), Detection("manhole", BOX, 0.7)
        elsewhere = Detection("manhole", BoundingBox(500, 100, 700, 300), 0.9)
        street.look(Detection("bin_overflow", BOX, 0.8), *([sure, sure] if number % 2 else [weak, elsewhere]))
    (found,) = (one for one in street.known.values() if one.category == "bin_overflow")
    assert (found.sightings, found.also) == (6, {"manhole_abnormal": 3})  # once a look, and only what is sure enough


def test_what_is_no_case_there_is_no_other_name() -> None:
    both = Detection("bicycle", BOX, 0.6), Detection("bin_overflow", BOX, 0.8)
    for decide, also in ((case_everywhere, {"nonmotor_parking": 4}), (labels_alone, {})):
        street = Street(decide)
        for _ in range(4):
            street.look(*both)
        assert [one.also for one in street.known.values()] == [also]


def test_two_names_that_are_confirmed_in_one_look_become_one_case() -> None:
    street = Street()
    bin_, cover = Detection("bin_overflow", BOX, 0.8), Detection("manhole", BOX, 0.9)
    halves = [
        Detection("bin_overflow", BoundingBox(100, 100, 210, 300), 0.8),
        Detection("bin_overflow", BoundingBox(190, 100, 300, 300), 0.8),
    ]
    street.look(cover)
    street.look(cover)
    street.look(bin_)
    street.look(bin_)
    for _ in range(4):
        street.look(cover, *halves)  # neither half is the whole thing under another name
    assert len(street.opened()) == 1
    for _ in range(20):
        street.look(cover, bin_)
    assert len(street.opened()) == 1


def test_a_case_waits_for_no_rival_that_is_not_seen_any_more() -> None:
    street = Street()
    for _ in range(2):
        street.look(Detection("manhole", BOX, 0.9))
    for _ in range(7):
        street.look(Detection("bin_overflow", BOX, 0.8))
    assert street.opened() == ["bin_overflow"]


def test_a_case_waits_for_no_rival_that_is_seen_now_and_then_for_ever() -> None:
    street = Street()
    cover = Detection("manhole", BOX, 0.9)
    for _ in range(30):
        for seen in ([cover], [], []):
            street.look(*seen)
    for _ in range(3):
        for seen in ([cover], [], []):
            street.look(Detection("bin_overflow", BOX, 0.8), *seen)
    assert street.opened() == ["bin_overflow"]


def test_half_of_a_case_that_is_known_by_both_names_is_no_second_case() -> None:
    half = Detection("bin_overflow", BoundingBox(190, 100, 300, 300), 0.8)
    assert BOX.iou(half.box) < 0.6
    cover, bin_ = Detection("manhole", BOX, 0.9), Detection("bin_overflow", BOX, 0.7)
    street, other = Street(), Street()
    for _ in range(8):
        street.look(cover, bin_)
        other.look(cover)
    for _ in range(8):
        street.look(cover, half)
        other.look(cover, half)
    assert street.opened() == ["manhole_abnormal"]
    assert other.opened() == ["bin_overflow", "manhole_abnormal"]  # something before it, never taken for it
    assert not [one for one in street.known.values() if one.category == "bin_overflow"], "nor a suspicion"
