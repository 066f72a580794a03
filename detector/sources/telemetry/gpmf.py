"""GoPro's GPMF: where an action camera was, out of the data stream of its video.

Items of a four-letter key, a type, the size of a sample, their number and the samples, filled up to four bytes; type 0
holds items. `GPS5` are samples of latitude, longitude, altitude, 2D and 3D speed as integers to be divided by `SCAL`,
`GPSF` is the receiver's fix (0 none, 2 2D, 3 3D), `GPSP` its dilution of precision times 100 (README of gopro's
gpmf-parser). A payload stands for the time until the next one; its samples are spread evenly over that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from detector.core.geo import Pose
from detector.core.pinhole import POSITION_ERROR_M
from detector.core.track import Fix
from detector.sources.telemetry.reading import position

MOST_DILUTION = 10.0
"""Receivers that see satellites on one side only are beyond it: off by more than a street is wide."""

_NESTED = 0
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class _Item:
    key: bytes
    type: int
    size: int  # of a sample, bytes
    count: int
    data: bytes


def fixes_of(payload: bytes, begin: float, length: float) -> list[Fix]:
    """The fixes of one payload, from `begin` over `length`, seconds; none where the receiver had no fix.

    Raises ValueError when it is cut off or no GPMF.
    """
    return [fix for stream in _streams(payload, 0) for fix in _fixes(stream, begin, length)]


def _streams(data: bytes, depth: int) -> Iterator[dict[bytes, _Item]]:
    """The items of each stream that holds positions."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    items = {}
    for item in _items(data):
        if item.type == _NESTED:
            yield from _streams(item.data, depth + 1)
        items[item.key] = item
    if b"GPS5" in items:
        yield items


def _items(data: bytes) -> Iterator[_Item]:
    at = 0
    while at + 8 <= len(data):
        key, kind, size, count = struct.unpack_from(">4sBBH", data, at)
        if key == b"\0\0\0\0":
            return
        end = at + 8 + size * count
        if end > len(data):
            raise ValueError("cut off")
        yield _Item(key, kind, size, count, data[at + 8 : end])
        at = end + -end % 4
    if at < len(data) and any(data[at:]):
        raise ValueError("cut off")


def _fixes(stream: dict[bytes, _Item], begin: float, length: float) -> Iterator[Fix]:
    samples, scale = stream[b"GPS5"], _integers(stream.get(b"SCAL"))
    if samples.type != ord("l") or samples.size != 20 or len(scale) not in (1, 5) or 0 in scale:
        raise ValueError("positions of an unknown form")
    fix, dilution = _integers(stream.get(b"GPSF")), _integers(stream.get(b"GPSP"))
    if fix[:1] == [0] or (dilution and dilution[0] / 100 > MOST_DILUTION):
        return
    error = POSITION_ERROR_M * max(1.0, dilution[0] / 100 / 2) if dilution else None
    for number in range(samples.count):
        latitude, longitude = struct.unpack_from(">ll", samples.data, number * 20)
        here = position(latitude / scale[0], longitude / scale[min(1, len(scale) - 1)], error)
        if here is not None:
            yield Fix(begin + length * number / samples.count, Pose(here))


def _integers(item: _Item | None) -> list[int]:
    forms = {ord("l"): "l", ord("L"): "L", ord("s"): "h", ord("S"): "H", ord("b"): "b", ord("B"): "B"}
    if item is None or item.type not in forms:
        return []
    form = forms[item.type]
    return list(struct.unpack(f">{len(item.data) // struct.calcsize('>' + form)}{form}", item.data))
