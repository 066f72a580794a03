"""Hours and days as permits are written: `fri, sat`, `周一至周五`, `18:00-02:00`, `2026-05-01`."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from detector.config.finding import did_you_mean
from detector.config.strict import Strict
from detector.core.calendar import ALL_WEEK, DayKinds, HolidayPlan, Holidays, TimeWindow, Validity

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CHINESE = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_GROUPS = {
    "all": ALL_WEEK,
    "daily": ALL_WEEK,
    "每天": ALL_WEEK,
    "weekdays": frozenset(range(5)),
    "weekend": frozenset({5, 6}),
    "周末": frozenset({5, 6}),
}
_RANGE = re.compile(r"\s*[-–~～至到]\s*")
_BETWEEN = re.compile(r"[,，、\s]+")
_HOUR = re.compile(r"([0-9]{1,2})[:：]([0-9]{2})$")


def parse_days(value: object) -> frozenset[int]:
    """Weekdays from "mon-fri", "fri, sat", "周一至周五", "六、日", "weekend" or a list of such; Monday is 0.

    A range may run over the end of the week: "sat-mon". Raises ValueError naming what is no weekday.
    """
    if isinstance(value, frozenset):
        return value
    parts = value if isinstance(value, (list, tuple)) else [value]
    days: set[int] = set()
    for part in parts:
        if not isinstance(part, str):
            raise ValueError('must be weekdays such as "mon-fri", "sat, sun" or "周一至周五"')
        for word in _BETWEEN.split(_RANGE.sub("-", part.strip())):
            days |= _GROUPS.get(word.lower()) or _days(word)
    return frozenset(days)


def _days(word: str) -> set[int]:
    ends = [_day(end) for end in word.split("-")]
    if len(ends) > 2:
        raise ValueError(f'"{word}" is no range of weekdays')
    first, last = ends[0], ends[-1]
    return {(first + n) % 7 for n in range((last - first) % 7 + 1)}


def _day(word: str) -> int:
    for prefix in ("星期", "周", "礼拜"):
        word = word.removeprefix(prefix)
    if word in _CHINESE:
        return _CHINESE[word]
    low = word.lower().rstrip(".")
    for number, name in enumerate(_NAMES):
        if len(low) >= 2 and (name.startswith(low) or low == f"{name[:4]}s"):
            return number
    hint = did_you_mean(low, [*_NAMES, *(name[:3] for name in _NAMES)]) or "write mon, tue, ... or 一, 二, ..."
    raise ValueError(f'"{word}" is no weekday; {hint}')


def parse_hours(value: object) -> tuple[tuple[time, time], ...]:
    """(start, end) pairs from "18:00-02:00" or a list of such; an end of 24:00 is midnight.

    Raises ValueError for what is no time of day, and for a start that equals its end.
    """
    parts = value if isinstance(value, (list, tuple)) else [value]
    if not parts:
        raise ValueError("needs at least one span of hours")
    return tuple(part if isinstance(part, tuple) else _span(part) for part in parts)


def _span(text: object) -> tuple[time, time]:
    ends = _RANGE.split(text.strip()) if isinstance(text, str) else []
    if len(ends) != 2:
        raise ValueError('must be hours such as "18:00-02:00"')
    start, end = _hour(ends[0], last=False), _hour(ends[1], last=True)
    if start == end and ends[0] != "00:00":
        raise ValueError(f'"{text}" begins where it ends; write "00:00-24:00" for the whole day')
    return start, end


def _hour(text: str, *, last: bool) -> time:
    match = _HOUR.match(text)
    hour, minute = (int(match[1]), int(match[2])) if match else (99, 0)
    if last and (hour, minute) == (24, 0):
        return time(0, 0)
    if hour > 23 or minute > 59:
        raise ValueError(f'"{text}" is no time of day (00:00 to 23:59, or 24:00 as an end)')
    return time(hour, minute)


def _date(value: object) -> object:
    if isinstance(value, date):
        return value
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f'"{value}" is no date such as 2026-05-01') from None
    if not 2000 <= day.year < 2100:
        raise ValueError(f"{day} is not between 2000 and 2100")
    return day


Days = Annotated[
    frozenset[int],
    PlainValidator(parse_days),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    Field(examples=["mon-fri", "sat, sun", "周一至周五"]),
]
"""Weekdays."""
Hours = Annotated[
    tuple[tuple[time, time], ...],
    PlainValidator(parse_hours),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    Field(examples=["18:00-02:00", ["06:00-09:00", "17:00-21:00"]]),
]
"""Hours of the street's own clock; a span that ends before it starts runs over midnight, as part of its first day."""
Day = Annotated[date, BeforeValidator(_date)]
"""A date, as 2026-05-01."""

_WHOLE_DAY: Any = ((time(0, 0), time(0, 0)),)


class WindowSettings(Strict):
    """Hours on some weekdays."""

    days: Days = Field(default=ALL_WEEK, json_schema_extra={"default": "all"})
    """Weekdays on which they begin; all when not given."""
    hours: Hours = Field(default=_WHOLE_DAY, json_schema_extra={"default": "00:00-24:00"})
    """The whole day when not given."""

    @property
    def windows(self) -> tuple[TimeWindow, ...]:
        """As the rules know them."""
        return tuple(TimeWindow(start, end, self.days) for start, end in self.hours)


class Times(Strict):
    """When something holds."""

    when: tuple[WindowSettings, ...] = ()
    """Hours and weekdays; at any hour when not given."""
    first_day: Day | None = None
    """From this day on."""
    last_day: Day | None = None
    """Until the end of the hours that begin on this day."""
    not_on: tuple[Day, ...] = ()
    """Days on which it does not hold after all."""
    also_on: tuple[Day, ...] = ()
    """Days on which its hours hold whatever the weekday; between the first and the last day."""

    holidays: Holidays = Holidays.AS_WEEKDAY
    """What its hours do on public holidays: `as_weekday` (what the weekday says), `like_sunday`, `closed`, `open`. With
    all but the first, make-up workdays count as the nearest weekday."""

    @property
    def windows(self) -> tuple[TimeWindow, ...]:
        """As the rules know them."""
        return tuple(window for written in self.when for window in written.windows)

    def validity(self, kind_of: DayKinds) -> Validity:
        """As the rules know it; `kind_of` tells what the calendar makes of a day."""
        plan = None if self.holidays is Holidays.AS_WEEKDAY else HolidayPlan(self.holidays, kind_of)
        return Validity(self.first_day, self.last_day, frozenset(self.not_on), frozenset(self.also_on), plan)
