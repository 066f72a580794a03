from __future__ import annotations

import io
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import PIL.Image
import PIL.ImageEnhance
import pytest

from detector.core.detection import BoundingBox, Detection
from detector.core.geo import GeoPoint
from detector.core.judging import reject
from detector.core.problem import EventKind, ProblemStatus
from detector.core.rules import Outcome
from detector.errors import PhotoRefused
from detector.intake.judging import Intake, Report
from detector.store import Store
from tests.intake.conftest import CATEGORIES, HERE, NOON, PHOTO, Desk, Model, picture_bytes
from tests.store.making import a_problem

STALL = Detection("street_stall", BoundingBox(10, 10, 100, 200), 0.9)


def a_report(photo: bytes = PHOTO, **changes: Any) -> Report:
    return replace(Report(photo, HERE, NOON - timedelta(minutes=1), open_case=True), **changes)


def north(metres: float) -> GeoPoint:
    return GeoPoint(HERE.latitude + metres / 111_195, HERE.longitude)


def at(problem_id: str, point: GeoPoint, **changes: Any) -> Any:
    problem = a_problem(problem_id, opened_at=NOON, **changes)
    return replace(problem, place=replace(problem.place, ground=point))


def test_a_photo_opens_one_case_by_the_way_of_all_looks(intake: Intake, store: Store, desk: Desk) -> None:
    judged = intake.take(a_report())
    assert judged.opened is not None
    stored = store.problem(judged.opened.id)
    assert stored == judged.opened
    assert stored.camera_id == f"photo:{judged.photo_id}"
    assert (stored.status, stored.looks, stored.revision) == (ProblemStatus.OPEN, 1, 1)
    taken = NOON - timedelta(minutes=1)
    assert (stored.place.ground, stored.first_seen, stored.opened_at) == (HERE, taken, taken)
    assert (stored.rule, stored.codes) == ("category:exposed_garbage", {"2026": "06010"})
    [(event, _)] = desk.told
    assert event.kind is EventKind.OPENED
    [delivery] = store.deliveries()
    assert (delivery.event_id, delivery.type, delivery.endpoint) == (event.id, "problem.opened", "desk")


def test_nothing_is_opened_that_was_not_asked_for(intake: Intake, store: Store, desk: Desk) -> None:
    judged = intake.take(a_report(open_case=False))
    assert [one.category.id for one in judged.suggestions] == ["exposed_garbage"]
    assert (judged.opened, desk.told, store.problems(), store.deliveries()) == (None, [], [], [])


def test_the_same_photo_again_is_the_same_report(intake: Intake, store: Store) -> None:
    first = intake.take(a_report())
    elsewhere = intake.take(a_report(position=GeoPoint(34.0, 110.0), taken_at=NOON))
    assert first.opened is not None
    assert elsewhere.opened is None
    assert f"this very photo was sent before: problem {first.opened.id}" == elsewhere.reason
    assert len(store.problems()) == 1


def test_another_photo_of_the_same_place_is_a_duplicate(intake: Intake, store: Store) -> None:
    first = intake.take(a_report())
    near = intake.take(a_report(picture_bytes(seed=2), position=north(20)))
    far = intake.take(a_report(picture_bytes(seed=3), position=north(60)))
    assert first.opened is not None
    assert near.opened is None
    known = near.suggestions[0].known
    assert known is not None
    assert known.problem.id == first.opened.id
    assert known.distance_m == pytest.approx(20, abs=0.1)
    assert near.reason == f"known already, 20 m away: problem {first.opened.id}"
    assert far.opened is not None
    assert len(store.problems()) == 2


def test_what_cameras_have_found_counts_as_long_as_it_is_open(intake: Intake, store: Store) -> None:
    store.record(
        NOON,
        [
            at("old", north(5), first_seen=NOON - timedelta(days=90), last_seen=NOON - timedelta(days=60)),
            at("other", north(1), category="street_stall"),
            at("gone", north(1), status=ProblemStatus.CLEARED),
            a_problem("nowhere"),
        ],
    )
    known = intake.take(a_report()).suggestions[0].known
    assert known is not None
    assert known.problem.id == "old"


def test_what_only_photos_have_shown_is_forgotten_in_time(intake: Intake, store: Store) -> None:
    long_ago = NOON - timedelta(days=15)
    store.record(NOON, [at("p", HERE, camera_id="photo:x", first_seen=long_ago, last_seen=long_ago)])
    assert intake.take(a_report()).opened is not None


def test_what_a_person_has_rejected_is_not_opened_again_meanwhile(intake: Intake, store: Store) -> None:
    first = intake.take(a_report())
    assert first.opened is not None
    change = reject(first.opened, NOON, timedelta(days=7))
    store.record(NOON, [change.problem])
    again = intake.take(a_report(picture_bytes(seed=2), position=north(10)))
    assert again.opened is None
    assert again.reason == "a person has looked at such a photo of this place and rejected it"
    store.record(NOON, [replace(change.problem, silent_until=NOON - timedelta(hours=1))])
    assert intake.take(a_report(picture_bytes(seed=3), position=north(10))).opened is not None


def test_the_false_alarm_of_a_camera_does_not_silence_the_neighbourhood(intake: Intake, store: Store) -> None:
    rejected = reject(at("p", north(5)), NOON, timedelta(days=7)).problem
    store.record(NOON, [rejected])
    assert intake.take(a_report()).opened is not None


def test_two_reports_at_the_same_moment_make_one_case(intake: Intake, store: Store) -> None:
    reports = [a_report(picture_bytes(seed=number), position=north(number)) for number in range(8)]
    threads = [threading.Thread(target=intake.take, args=(report,)) for report in reports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(store.problems()) == 1


def test_rules_and_permits_hold_for_photos_too(intake: Intake, store: Store, desk: Desk) -> None:
    desk.outcome = lambda category, place: Outcome(place.ground != HERE, "permit:night-market")
    judged = intake.take(a_report())
    assert (judged.opened, judged.reason) == (None, "no case here and now: permit:night-market")
    assert [one.outcome.case for one in judged.suggestions] == [False]
    assert store.problems() == []


def test_the_best_suggestion_is_taken_or_the_one_that_the_reporter_names(intake: Intake, model: Model) -> None:
    model.found.append(STALL)
    judged = intake.take(a_report(open_case=False))
    assert [one.category.id for one in judged.suggestions] == ["street_stall", "exposed_garbage"]
    best = intake.take(a_report())
    named = intake.take(a_report(category="exposed_garbage"))
    assert best.opened is not None
    assert named.opened is not None
    assert (best.opened.category, named.opened.category) == ("street_stall", "exposed_garbage")


def test_what_the_model_does_not_see_is_no_case_whatever_the_reporter_says(
    intake: Intake, model: Model, store: Store
) -> None:
    judged = intake.take(a_report(category="street_stall"))
    assert (judged.opened, judged.reason) == (None, "nothing of that kind was recognised")
    model.found[:] = [replace(STALL, score=0.5)]  # below what a first sighting needs
    assert intake.take(a_report()).suggestions == ()
    assert store.problems() == []


def test_a_photo_on_which_nothing_can_be_seen_never_reaches_the_model(intake: Intake, model: Model) -> None:
    bright = PIL.Image.open(io.BytesIO(picture_bytes(seed=4)))
    buffer = io.BytesIO()
    PIL.ImageEnhance.Brightness(bright).enhance(0.1).save(buffer, "PNG")
    plain = io.BytesIO()
    PIL.Image.new("RGB", (320, 240), (90, 90, 90)).save(plain, "PNG")
    for content, status in ((buffer.getvalue(), "dark"), (plain.getvalue(), "covered")):
        judged = intake.take(a_report(content))
        assert (judged.look.status.value, judged.suggestions, judged.opened) == (status, (), None)
        assert judged.reason
    assert model.calls == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"taken_at": NOON + timedelta(minutes=11)}, "taken_at: lies in the future"),
        ({"taken_at": NOON - timedelta(days=8)}, "taken_at: more than 7 days ago"),
        ({"category": "heap"}, "category: there is no heap"),
        ({"photo": b"GIF89a"}, "this is no photo: send JPEG, PNG or WebP"),
    ],
)
def test_what_is_refused(intake: Intake, model: Model, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(PhotoRefused, match=reason):
        intake.take(a_report(**changes))
    assert model.calls == 0


def test_where_several_make_a_case_a_photo_needs_so_many_too(
    intake: Intake, store: Store, desk: Desk, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = replace(CATEGORIES["exposed_garbage"], at_least=3)
    monkeypatch.setattr(intake, "_categories", lambda: {several.id: several})
    row = [Detection("garbage", BoundingBox(left, 100, left + 40, 140), 0.9) for left in (10, 60, 110, 160)]
    model.found[:] = row[:2]
    few = intake.take(a_report())
    assert (few.opened, few.reason) == (None, "no case here and now: at_least:3")
    model.found[:] = row
    legal = row[0].box
    desk.outcome = lambda category, place: Outcome(place.box != legal, "rule:outside")
    judged = intake.take(a_report(picture_bytes(seed=2)))
    assert judged.opened is not None
    assert (judged.opened.count, judged.opened.rule) == (3, "rule:outside")
    assert judged.opened.place.box == BoundingBox(60, 100, 200, 140)
    assert len(store.problems()) == 1
