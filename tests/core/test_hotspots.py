from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from detector.core.detection import BoundingBox
from detector.core.geo import GeoPoint
from detector.core.hotspots import Incident, hot_spots

START = datetime(2026, 3, 2, tzinfo=UTC)
HERE, NEAR, FAR = GeoPoint(34.25, 108.95), GeoPoint(34.2501, 108.95), GeoPoint(34.2502, 108.95)  # 11 m and 22 m north
BOX, SHIFTED, ELSEWHERE = BoundingBox(0, 0, 100, 100), BoundingBox(40, 0, 140, 100), BoundingBox(90, 0, 190, 100)


def incident(number: int, **facts: object) -> Incident:
    given_facts: dict[str, object] = {"category": "street_stall", "camera_id": "cam", "box": BOX, **facts}
    return Incident(f"c{number}", at=START + timedelta(days=number), **given_facts)  # type: ignore[arg-type]


def test_near_on_the_ground_is_one_spot_whatever_the_camera() -> None:
    one, two, three = (incident(n, ground=g, camera_id=f"cam-{n}") for n, g in enumerate((HERE, NEAR, FAR)))
    assert [[i.case_id for i in spot.incidents] for spot in hot_spots([three, two, one])] == [["c0", "c1"]]


def test_different_things_are_never_one_spot() -> None:
    assert hot_spots([incident(0, ground=HERE), incident(1, ground=HERE, category="x")]) == []


def test_without_ground_the_picture_of_one_camera_decides() -> None:
    found = hot_spots([incident(0), incident(1, box=SHIFTED), incident(2, box=ELSEWHERE), incident(3, box=None)])
    assert [[i.case_id for i in spot.incidents] for spot in found] == [["c0", "c1"]]
    assert hot_spots([incident(0), incident(1, camera_id="other"), incident(2, category="x")]) == []


def test_what_comes_back_by_itself_is_a_hot_spot() -> None:
    (spot,) = hot_spots([incident(0, times=3)])
    assert (spot.times, spot.category) == (3, "street_stall")


boxes = st.integers(0, 300).map(lambda left: BoundingBox(left, 0, left + 100, 100))


@given(
    found=st.lists(st.tuples(boxes, st.sampled_from(["a", "b"]), st.integers(1, 3)), max_size=12),
    data=st.data(),
)
def test_every_occurrence_counts_once_and_no_order_matters(
    found: list[tuple[BoundingBox, str, int]], data: st.DataObject
) -> None:
    incidents = [incident(n, box=box, category=kind, times=times) for n, (box, kind, times) in enumerate(found)]
    spots = hot_spots(incidents, least=1)
    assert sum(spot.times for spot in spots) == sum(one.times for one in incidents)
    assert hot_spots(data.draw(st.permutations(incidents)), least=1) == spots
