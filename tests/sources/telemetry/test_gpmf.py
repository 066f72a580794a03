"""GoPro's data stream, real and damaged."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.geo import GeoPoint, distance_m
from detector.sources.telemetry.gpmf import fixes_of


def item(key: bytes, kind: str, size: int, count: int, data: bytes) -> bytes:
    return struct.pack(">4sBBH", key, ord(kind) if kind else 0, size, count) + data + b"\0" * (-len(data) % 4)


def payload(fix: int = 3, dilution: int = 150, scale: int = 10_000_000, samples: int = 2) -> bytes:
    gps = b"".join(struct.pack(">lllll", 350_000_000 + n * 100, 1_110_000_000, 400_000, 1, 1) for n in range(samples))
    inner = item(b"GPSF", "L", 4, 1, struct.pack(">L", fix)) + item(b"GPSP", "S", 2, 1, struct.pack(">H", dilution))
    inner += item(b"SCAL", "l", 4, 5, struct.pack(">lllll", scale, scale, 1000, 1000, 100))
    inner += item(b"GPS5", "l", 20, samples, gps)
    stream = item(b"STRM", "", 1, len(inner), inner)
    return item(b"DEVC", "", 1, len(stream), stream)


def packets(file: Path) -> Iterator[tuple[bytes, float, float]]:
    with av.open(str(file)) as container:
        stream = next(one for one in container.streams if "GoPro MET" in one.metadata.get("handler_name", ""))
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None and packet.duration is not None and packet.time_base is not None:
                yield bytes(packet), float(packet.pts * packet.time_base), float(packet.duration * packet.time_base)


def test_a_real_walk(shared: Path) -> None:
    fixes = [fix for one in packets(shared / "clips/telemetry/walk-gopro-gps5.mp4") for fix in fixes_of(*one)]
    assert len(fixes) == 191
    times = [fix.at for fix in fixes]
    assert times == sorted(set(times))
    assert 10.4 < times[-1] < 10.6
    start, end = fixes[0].pose.position, fixes[-1].pose.position
    assert distance_m(start, GeoPoint(33.1268, -117.3273)) < 8  # as the file's own metadata says
    assert 5 < distance_m(start, end) < 20, "ten seconds on foot"


def test_a_camera_without_a_receiver_tells_no_position(shared: Path) -> None:
    payloads = list(packets(shared / "clips/telemetry/drone-gopro-karma.mp4"))
    assert len(payloads) == 13
    assert [fix for one in payloads for fix in fixes_of(*one)] == []


def test_samples_are_spread_over_their_payload() -> None:
    one, other = fixes_of(payload(), 10.0, 1.0)
    assert (one.at, other.at) == (10.0, 10.5)
    assert one.pose.position == GeoPoint(35.0, 111.0, 5.0)
    assert other.pose.position.latitude == pytest.approx(35.00001)
    (poor, _) = fixes_of(payload(dilution=600), 0, 1)
    assert poor.pose.position.error_m == 15.0


@pytest.mark.parametrize("data", [payload(fix=0), payload(dilution=1200), payload(samples=0), b""])
def test_without_a_fix_there_is_none(data: bytes) -> None:
    assert fixes_of(data, 0, 1) == []


@pytest.mark.parametrize("data", [payload()[:-8], payload(scale=0), b"\xff" * 30])
def test_what_is_none_says_so(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|unknown form"):
        fixes_of(data, 0, 1)


@given(st.binary(max_size=60), st.integers(0, 200))
def test_damage_raises_nothing_else(noise: bytes, at: int) -> None:
    whole = payload()
    try:
        fixes_of(whole[:at] + noise + whole[at + len(noise) :], 0, 1)
    except ValueError:
        return
