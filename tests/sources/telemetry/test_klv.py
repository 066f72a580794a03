"""MISB ST 0601 against the standard's worked examples and a simulated flight that tells where its pictures look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.geo import GeoPoint, Pose
from detector.core.pinhole import seen_at
from detector.sources.telemetry import klv
from detector.sources.telemetry.klv import pose_of


def ber(value: bytes) -> bytes:
    return bytes([len(value)]) + value if len(value) < 128 else bytes([0x82, *len(value).to_bytes(2, "big")]) + value


def packet(items: dict[int, bytes]) -> bytes:
    """A local set with a right checksum."""
    body = b"".join(bytes([t]) + ber(v) if t < 128 else bytes([0x81, t - 128]) + ber(v) for t, v in items.items())
    size = len(body) + 4
    head = klv.KEY + (bytes([size]) if size < 128 else bytes([0x82, *size.to_bytes(2, "big")])) + body + b"\x01\x02"
    return head + klv._sum(head).to_bytes(2, "big")


# Tag, bytes and value as the standard gives them beside each tag.
EXAMPLES = [
    (5, "71c2", 159.9744),
    (6, "fd3d", -0.4315251),
    (7, "08b8", 3.405814),
    (13, "5595b66d", 60.17682297),
    (14, "5b5360c4", 128.42675904),
    (15, "c221", 14190.7195),
    (16, "cd9c", 144.5713),
    (18, "724a0a20", 160.71921147),
    (19, "87f84b86", -168.79232484),
    (20, "7dc55ece", 176.86543764),
    (21, "03830926", 68590.98),
    (25, "34f3", 3216.037),
]


@pytest.mark.parametrize(("tag", "value", "number"), EXAMPLES)
def test_mapped_integers(tag: int, value: str, number: float) -> None:
    assert klv._TAGS[tag].number(bytes.fromhex(value)) == pytest.approx(number, rel=3e-5)


def test_the_most_negative_integer_is_not_known() -> None:
    assert klv._TAGS[13].number(bytes.fromhex("80000000")) is None
    assert klv._TAGS[13].number(bytes.fromhex("7fffffff")) == 90
    assert klv._TAGS[13].number(b"\x7f") is None


def test_example_packets(shared: Path) -> None:
    folder = shared / "clips" / "telemetry"
    pose = pose_of((folder / "DynamicOnlyMISMMSPacketData.bin").read_bytes())
    assert pose is not None
    assert pose.position.latitude == pytest.approx(60.17682297)
    assert pose.position.longitude == pytest.approx(128.42675904)
    assert pose.height_m == pytest.approx(14190.7195 - 3216.037, abs=0.01)
    assert pose.field_of_view_deg == pytest.approx(144.5713, abs=1e-4)
    with pytest.raises(ValueError, match="wrong checksum"):  # this one was altered after its checksum was made
        pose_of((folder / "DynamicConstantMISMMSPacketData.bin").read_bytes())


def packets(shared: Path) -> Iterator[bytes]:
    with av.open(str(shared / "clips" / "telemetry" / "misb-st0601.ts")) as container:
        yield from (bytes(one) for one in container.demux(container.streams.data[0]) if one.size)


def test_a_real_sensor_looks_where_its_own_system_says_it_does(shared: Path) -> None:
    """Platform and gimbal angles together must put the told middle of the picture into its middle."""
    centres = []
    for data in packets(shared):
        pose = pose_of(data)
        assert pose is not None
        assert 2800 < (pose.height_m or 0) < 2900
        items = {tag: value for tag, value, _ in klv._items(data, *_body(data))}
        told = GeoPoint(*(klv._TAGS[like].number(items[tag]) or 0.0 for like, tag in ((13, 23), (14, 24))))
        centres.append(seen_at(pose, told, (640, 480)))
    assert len(centres) == 277
    # 1 % of a picture 13 degrees wide are 0.13 degrees
    assert np.abs(np.array(centres) - 0.5).max() < 0.01


def _body(data: bytes) -> tuple[int, int]:
    length, begin = klv._length(data, data.find(klv.KEY) + 16)
    return begin, begin + length


HERE = {13: bytes.fromhex("31d4d3b5"), 14: bytes.fromhex("4eed4ec5")}


def test_what_is_not_told_is_not_known() -> None:
    pose = pose_of(b"\x00\x01\x02" + packet({**HERE, 15: bytes.fromhex("0c00")}))  # a header goes before the key
    assert pose is not None
    assert pose == Pose(pose.position)
    assert pose_of(packet({13: HERE[13]})) is None
    assert pose_of(packet({13: bytes(4), 14: bytes(4)})) is None


def test_full_angles_go_before_short_ones_and_the_range_stands_in_for_the_ground() -> None:
    level = {5: bytes(2), 6: bytes.fromhex("8000"), 7: bytes(2), 18: bytes(4), 19: bytes(4)}
    far = {21: bytes.fromhex("0000ffff")}
    down = pose_of(packet({**HERE, **level, **far, 90: bytes.fromhex("80000001"), 91: bytes(4)}))
    assert down is not None
    assert down.pitch_deg == pytest.approx(-90)
    assert down.height_m == pytest.approx(65535 * 5e6 / (2**32 - 1))
    unknown = pose_of(packet({**HERE, **level, **far}))
    assert unknown is not None
    assert (unknown.heading_deg, unknown.pitch_deg, unknown.height_m) == (None, None, None)


@pytest.mark.parametrize("data", [b"", b"nothing of the kind", klv.KEY, klv.KEY + b"\x84\xff", klv.KEY + b"\x89"])
def test_what_is_no_set_says_so(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no UAS|cut off"):
        pose_of(data)


@given(st.integers(0, 300), st.binary(min_size=1, max_size=1))
def test_any_damage_of_a_byte_is_noticed(at: int, noise: bytes) -> None:
    whole = packet({**HERE, 2: bytes(8), 3: b"flight", 200: b"unknown"})
    broken = whole[:at] + noise + whole[at + len(noise) :]
    if broken[: len(whole)] == whole:
        return
    try:
        found = pose_of(broken)
    except ValueError:
        return
    assert found is None or found == pose_of(whole)
