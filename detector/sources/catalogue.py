"""Cameras from a CSV list, as city platforms export them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from detector.core.camera import SamplingMode
from detector.core.geo import GeoPoint
from detector.errors import ConfigError

COLUMNS = {
    "id": ("id", "camera_id", "code", "编号", "编码", "设备编码", "国标编号"),
    "url": ("url", "address", "stream", "地址", "流地址", "视频地址"),
    "name": ("name", "名称", "设备名称", "点位名称"),
    "latitude": ("lat", "latitude", "纬度"),
    "longitude": ("lon", "lng", "longitude", "经度"),
    "mode": ("mode", "采样方式"),
    "interval_s": ("interval", "interval_s", "间隔"),
    "timezone": ("timezone", "时区"),
    "district": ("district", "区县", "辖区", "街道"),
}
"""Our name of each column and the headings it may have, in any case and order; id and url are needed."""

_MODES = {"": None, "stream": SamplingMode.STREAM, "patrol": SamplingMode.PATROL, "轮巡": SamplingMode.PATROL}


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One camera of a list; None where the list says nothing."""

    line: int  # in the file, from 1
    id: str
    url: str = field(repr=False)  # may carry a password
    name: str = ""
    position: GeoPoint | None = None  # WGS-84
    mode: SamplingMode | None = None
    interval_s: float | None = None
    timezone: str | None = None  # IANA name
    district: str = ""


def read_catalogue(path: Path) -> list[CatalogueRow]:
    """Read a CSV list of cameras: UTF-8 (with or without BOM) or GB 18030; comma, semicolon or tab.

    Raises ConfigError that names file and line of everything that is wrong, up to twenty of them.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from error
    text = _decoded(data, path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        # A cell may hold line breaks, so the reader knows the line best.
        return _rows(path, ((reader.line_num, cells) for cells in reader))
    except csv.Error as error:
        raise ConfigError(f"{path}, line {reader.line_num}: {error}") from error


def _rows(path: Path, lines: Iterator[tuple[int, list[str]]]) -> list[CatalogueRow]:
    _, heading = next(lines, (0, None))
    if heading is None:
        raise ConfigError(f"{path}: empty; the first line must name the columns, e.g. id,name,url,lat,lon")
    columns = _columns(path, heading)
    rows: list[CatalogueRow] = []
    wrong: list[str] = []
    seen: dict[str, int] = {}
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        cell = {name: cells[index].strip() if index < len(cells) else "" for name, index in columns.items()}
        try:
            row = _row(number, cell)
            if row.id in seen:
                raise ValueError(f"id {row.id} is there already, on line {seen[row.id]}")
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
            continue
        seen[row.id] = number
        rows.append(row)
    if wrong:
        more = f"\n  ... and {len(wrong) - 20} more" if len(wrong) > 20 else ""
        raise ConfigError(f"{path}: nothing was taken from it\n  " + "\n  ".join(wrong[:20]) + more)
    return rows


def _columns(path: Path, heading: list[str]) -> dict[str, int]:
    known = {alias: name for name, aliases in COLUMNS.items() for alias in aliases}
    columns: dict[str, int] = {}
    for index, title in enumerate(heading):
        name = known.get(title.strip().lower())
        if name is not None:
            columns.setdefault(name, index)
    missing = [name for name in ("id", "url") if name not in columns]
    if missing:
        raise ConfigError(
            f"{path}, line 1: no column {' and no column '.join(missing)}; "
            f"known headings: {', '.join(alias for aliases in COLUMNS.values() for alias in aliases)}"
        )
    return columns


def _row(number: int, cell: dict[str, str]) -> CatalogueRow:
    """Raises ValueError in words that fit behind the line's number; never with the address in them."""
    if not cell["id"]:
        raise ValueError("no id")
    if not cell["url"]:
        raise ValueError(f"camera {cell['id']} has no url")
    latitude, longitude = cell.get("latitude", ""), cell.get("longitude", "")
    if bool(latitude) != bool(longitude):
        raise ValueError("lat without lon, or lon without lat")
    position = None
    if latitude:
        position = GeoPoint(_number("lat", latitude), _number("lon", longitude))
    interval = cell.get("interval_s", "")
    interval_s = _number("interval", interval) if interval else None
    if interval_s is not None and interval_s <= 0:
        raise ValueError(f"interval must be more than 0 seconds, not {interval}")
    mode = cell.get("mode", "").lower()
    if mode not in _MODES:
        raise ValueError(f"mode must be stream or patrol, not {mode}")
    return CatalogueRow(
        line=number,
        id=cell["id"],
        url=cell["url"],
        name=cell.get("name", ""),
        position=position,
        mode=_MODES[mode],
        interval_s=interval_s,
        timezone=cell.get("timezone") or None,
        district=cell.get("district", ""),
    )


def _number(column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{column} must be a number, not {text}") from None
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{column} must be a number, not {text}")
    return value


def _decoded(data: bytes, path: Path) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError(f"{path}: neither UTF-8 nor GB 18030 text")


def _delimiter(text: str) -> str:
    heading = text.partition("\n")[0]
    return max(",;\t", key=heading.count)
