"""MISB ST 0601 (UAS Datalink Local Set): where a sensor is and how it is turned, out of the data stream of its video.

A packet is a 16-byte key, a BER length, then items of tag (BER-OID), length (BER) and value; the last is a checksum.
Tags, ranges and the rules for mapped integers are those of ST 0601; unsigned ones map 0..2^n-1, signed ones
-(2^(n-1)-1)..2^(n-1)-1 to the range of the tag, and the most negative integer says "not known".

Of our own, because the kept library (pymisb 2) wants Python 3.12 and the one for older versions (klvdata) is no longer
kept; fourteen tags of some hundred are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import radians, sin

from detector.core.attitude import angles, attitude, on_board
from detector.core.geo import Pose
from detector.sources.telemetry.reading import position

KEY = bytes.fromhex("060e2b34020b01010e01030101000000")
"""Universal label of the UAS Datalink Local Set."""


@dataclass(frozen=True, slots=True)
class _Mapped:
    """An integer of `size` bytes that stands for a number in low..high."""

    size: int
    low: float
    high: float
    signed: bool = False

    def number(self, value: bytes) -> float | None:
        """None for "not known" and for a value of another size."""
        if len(value) != self.size:
            return None
        raw = int.from_bytes(value, "big", signed=self.signed)
        if not self.signed:
            return self.low + raw * (self.high - self.low) / ((1 << 8 * self.size) - 1)
        most = (1 << 8 * self.size - 1) - 1
        return None if raw < -most else raw * (self.high - self.low) / (2 * most)


_CHECKSUM = 1
_HEADING, _PITCH, _ROLL = 5, 6, 7  # of the platform
_LATITUDE, _LONGITUDE, _ALTITUDE = 13, 14, 15  # of the sensor; altitude above the sea
_WIDTH_DEG = 16
_AZIMUTH, _ELEVATION, _SENSOR_ROLL = 18, 19, 20  # of the sensor, in the frame of the platform
_RANGE, _GROUND = 21, 25  # to the middle of the picture, metres; its height above the sea
_FULL_PITCH, _FULL_ROLL = 90, 91

_TAGS: Mapping[int, _Mapped] = {
    _HEADING: _Mapped(2, 0, 360),
    _PITCH: _Mapped(2, -20, 20, signed=True),
    _ROLL: _Mapped(2, -50, 50, signed=True),
    _LATITUDE: _Mapped(4, -90, 90, signed=True),
    _LONGITUDE: _Mapped(4, -180, 180, signed=True),
    _ALTITUDE: _Mapped(2, -900, 19_000),
    _WIDTH_DEG: _Mapped(2, 0, 180),
    _AZIMUTH: _Mapped(4, 0, 360),
    _ELEVATION: _Mapped(4, -180, 180, signed=True),
    _SENSOR_ROLL: _Mapped(4, 0, 360),
    _RANGE: _Mapped(4, 0, 5_000_000),
    _GROUND: _Mapped(2, -900, 19_000),
    _FULL_PITCH: _Mapped(4, -90, 90, signed=True),
    _FULL_ROLL: _Mapped(4, -90, 90, signed=True),
}


def pose_of(data: bytes) -> Pose | None:
    """The pose in the first local set of a packet of the data stream; None where it tells no position.

    Raises ValueError when there is no such set, it is cut off, or its checksum is wrong.
    """
    told = _numbers(data)
    if _LATITUDE not in told or _LONGITUDE not in told:
        return None
    here = position(told[_LATITUDE], told[_LONGITUDE])
    if here is None:
        return None
    heading, pitch, roll = _turned(told)
    return Pose(here, _height_m(told, pitch), heading, pitch, roll, told.get(_WIDTH_DEG) or None)


def _turned(told: Mapping[int, float]) -> tuple[float | None, float | None, float | None]:
    """Heading, pitch and roll of the sensor; None where platform or sensor do not tell theirs."""
    pitch, roll = told.get(_FULL_PITCH, told.get(_PITCH)), told.get(_FULL_ROLL, told.get(_ROLL))
    if _HEADING not in told or pitch is None or roll is None or _AZIMUTH not in told or _ELEVATION not in told:
        return None, None, None
    sensor = attitude(told[_AZIMUTH], told[_ELEVATION], told.get(_SENSOR_ROLL, 0.0))
    return angles(on_board(attitude(told[_HEADING], pitch, roll), sensor))


def _height_m(told: Mapping[int, float], pitch: float | None) -> float | None:
    """Above the ground in the middle of the picture, which counts as flat."""
    if _ALTITUDE in told and _GROUND in told:
        return told[_ALTITUDE] - told[_GROUND]
    if _RANGE in told and pitch is not None and pitch < 0:
        return told[_RANGE] * sin(radians(-pitch))
    return None


def _numbers(data: bytes) -> dict[int, float]:
    begin = data.find(KEY)
    if begin < 0:
        raise ValueError("no UAS datalink local set")
    length, at = _length(data, begin + len(KEY))
    end = at + length
    if end > len(data):
        raise ValueError("cut off")
    found: dict[int, float] = {}
    checked = False
    for tag, value, after in _items(data, at, end):
        if tag == _CHECKSUM:
            checked = int.from_bytes(value, "big") == _sum(data[begin : after - len(value)])
        elif tag in _TAGS and (number := _TAGS[tag].number(value)) is not None:
            found[tag] = number
    if not checked:
        raise ValueError("wrong checksum")
    return found


def _items(data: bytes, at: int, end: int) -> Iterator[tuple[int, bytes, int]]:
    """(tag, value, where the next one begins)."""
    while at < end:
        tag = 0
        while True:  # BER-OID: seven bits a byte, the first bit says that another follows
            if at >= end:
                raise ValueError("cut off")
            tag, more = tag << 7 | data[at] & 0x7F, data[at] & 0x80
            at += 1
            if not more:
                break
        length, at = _length(data, at)
        if at + length > end:
            raise ValueError("cut off")
        yield tag, data[at : at + length], at + length
        at += length


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A BER length and where what it measures begins."""
    first = data[at : at + 1]
    if not first:
        raise ValueError("cut off")
    if first[0] < 0x80:
        return first[0], at + 1
    size = first[0] & 0x7F
    if size > 4 or at + 1 + size > len(data):
        raise ValueError("cut off")
    return int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size


def _sum(data: bytes) -> int:
    """ST 0601's running sum of 16-bit words, from the key up to the checksum's own length."""
    return (sum(data[::2]) << 8) + sum(data[1::2]) & 0xFFFF
