"""Hours and days in which something holds, in the local time of the street."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

ALL_WEEK = frozenset(range(7))
"""Monday is 0, Sunday 6, as in `date.weekday`."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Hours on some weekdays; one that ends at or before its start runs over midnight.

    It then belongs to the day on which it starts: Friday 20:00-02:00 holds on Saturday at 01:00 too. Start is
    inside, end is outside; equal start and end mean the whole 24 hours from start.
    """

    start: time = time(0, 0)
    end: time = time(0, 0)
    weekdays: frozenset[int] = ALL_WEEK

    def day_of(self, local: datetime) -> date | None:
        """The day to which `local` (wall-clock time of the street) belongs, or None when it is outside."""
        clock, today = local.time().replace(tzinfo=None), local.date()
        overnight = self.end <= self.start
        if clock >= self.start and (overnight or clock < self.end):
            day = today
        elif overnight and clock < self.end:
            day = today - timedelta(days=1)
        else:
            return None
        return day if day.weekday() in self.weekdays else None


@dataclass(frozen=True, slots=True)
class Validity:
    """The days on which windows count at all: first and last day included; single days taken out or put in."""

    first: date | None = None
    last: date | None = None
    never: frozenset[date] = frozenset()
    extra: frozenset[date] = frozenset()  # days that count whatever their weekday

    def holds_on(self, day: date) -> bool:
        """Whether `day` lies within the first and last day and is not taken out."""
        within = (self.first is None or self.first <= day) and (self.last is None or day <= self.last)
        return within and day not in self.never


ALWAYS = Validity()


def holds(windows: tuple[TimeWindow, ...], validity: Validity, local: datetime) -> bool:
    """Whether any window holds at `local`; no windows at all means at any hour.

    A day of `validity.extra` counts for every window although its weekday would not.
    """
    for window in windows or (TimeWindow(),):
        day = window.day_of(local)
        if day is None and validity.extra:
            day = TimeWindow(window.start, window.end).day_of(local)
            if day not in validity.extra:
                continue
        if day is not None and validity.holds_on(day):
            return True
    return False
