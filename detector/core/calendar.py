"""Hours and days in which something holds, in the local time of the street."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

ALL_WEEK = frozenset(range(7))
"""Monday is 0, Sunday 6, as in `date.weekday`."""

MONDAY, FRIDAY, SUNDAY = 0, 4, 6

DAY = timedelta(days=1)

YEAR = 366
"""Days after which the hours of a permit have nothing new to show, single days apart."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Hours on some weekdays; one that ends at or before its start runs over midnight.

    It then belongs to the day on which it starts: Friday 20:00-02:00 holds on Saturday at 01:00 too. Start is
    inside, end is outside; equal start and end mean the whole 24 hours from start.
    """

    start: time = time(0, 0)
    end: time = time(0, 0)
    weekdays: frozenset[int] = ALL_WEEK

    @property
    def overnight(self) -> bool:
        """Whether it ends on the day after the one it belongs to."""
        return self.end <= self.start

    def start_day(self, local: datetime) -> date | None:
        """The day on which the hours that `local` lies in began, whatever its weekday; None when it lies in none."""
        clock = local.time()
        if clock >= self.start and (self.overnight or clock < self.end):
            return local.date()
        return local.date() - DAY if self.overnight and clock < self.end else None

    def day_of(self, local: datetime) -> date | None:
        """The day to which `local` (wall-clock time of the street) belongs, or None when it is outside."""
        day = self.start_day(local)
        return day if day is not None and day.weekday() in self.weekdays else None


class DayKind(StrEnum):
    """What the calendar of a country makes of a day."""

    USUAL = "usual"  # a workday from Monday to Friday, or a weekend as any other
    HOLIDAY = "a public holiday"
    MAKEUP = "a make-up workday"  # a Saturday or Sunday on which people work (调休)


DayKinds = Callable[[date], DayKind]
"""What the calendar makes of a day."""


class Holidays(StrEnum):
    """What hours by weekdays mean on public holidays."""

    AS_WEEKDAY = "as_weekday"  # what the weekday says; the calendar is not asked, also not for make-up workdays
    LIKE_SUNDAY = "like_sunday"
    CLOSED = "closed"  # they do not hold
    OPEN = "open"  # they hold, whatever the weekday


@dataclass(frozen=True, slots=True)
class HolidayPlan:
    """What hours do on public holidays. With any plan, a make-up workday counts as the weekday nearest to it."""

    policy: Holidays  # not AS_WEEKDAY
    kind_of: DayKinds

    def counts(self, day: date, weekdays: frozenset[int]) -> bool:
        """Whether hours of these weekdays begin on `day`."""
        match self.kind_of(day):
            case DayKind.HOLIDAY if self.policy is Holidays.LIKE_SUNDAY:
                return SUNDAY in weekdays
            case DayKind.HOLIDAY:
                return self.policy is Holidays.OPEN
            case DayKind.MAKEUP:
                return (MONDAY if day.weekday() == SUNDAY else FRIDAY) in weekdays
            case DayKind.USUAL:
                return day.weekday() in weekdays


@dataclass(frozen=True, slots=True)
class Validity:
    """The days on which windows count at all: first and last day included; single days taken out or put in."""

    first: date | None = None
    last: date | None = None
    never: frozenset[date] = frozenset()
    extra: frozenset[date] = frozenset()  # days that count whatever their weekday, or the calendar
    holidays: HolidayPlan | None = None  # None: weekdays alone count

    def holds_on(self, day: date) -> bool:
        """Whether `day` lies within the first and last day and is not taken out."""
        within = (self.first is None or self.first <= day) and (self.last is None or day <= self.last)
        return within and day not in self.never


ALWAYS = Validity()

Windows = tuple[TimeWindow, ...]
"""No windows at all: at any hour."""

WHOLE_DAY: Windows = (TimeWindow(),)


def holds(windows: Windows, validity: Validity, local: datetime) -> bool:
    """Whether any window holds at `local`; no windows at all means at any hour.

    A day of `validity.extra` counts for every window although its weekday would not. `local` is wall-clock time, naive
    or aware: hours that a clock change repeats hold twice, hours that it leaves out never come.
    """
    if not windows and validity is ALWAYS:
        return True
    for window in windows or WHOLE_DAY:
        day = window.start_day(local)
        if day is not None and _counts(window, validity, day):
            return True
    return False


def why_not(windows: Windows, validity: Validity, local: datetime) -> str | None:
    """In words why none of the windows holds at `local`; None when one does."""
    if holds(windows, validity, local):
        return None
    days = [day for window in windows or WHOLE_DAY if (day := window.start_day(local)) is not None]
    if not days:
        return "outside its hours"
    day = days[0]
    if validity.first is not None and day < validity.first:
        return f"not before {validity.first}"
    if validity.last is not None and day > validity.last:
        return f"over since {validity.last}"
    if day in validity.never:
        return f"not on {day}"
    kind = DayKind.USUAL if validity.holidays is None else validity.holidays.kind_of(day)
    return f"not on a {day:%A}" if kind is DayKind.USUAL else f"not on {day}, {kind.value}"


def occurrences(windows: Windows, validity: Validity, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
    """When something holds, as (start, end) in wall-clock time, for the days from `first` to `last`, both included."""
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        for window in windows or WHOLE_DAY:
            if _counts(window, validity, day):
                end = day + DAY if window.overnight else day
                yield datetime.combine(day, window.start), datetime.combine(end, window.end)


def first_occurrence(windows: Windows, validity: Validity) -> datetime | None:
    """An early moment at which it begins to hold, or None when it never does."""
    return next((begin for begin, _ in occurrences(windows, validity, *_days(validity))), None)


def first_overlap(
    one: tuple[Windows, Validity], other: tuple[Windows, Validity], since: date | None = None
) -> datetime | None:
    """An early moment at which both hold, in wall-clock time, or None when there is none; not before `since` if given.

    Where both go on for ever, a year is searched, and all days that one of them names.
    """
    start, end = _days(one[1], other[1], since=since)
    if start > end + DAY:
        return None
    # a night that begins on the last day may meet what begins on the first day after it
    here, there = (sorted(occurrences(*each, start - DAY, end + DAY)) for each in (one, other))
    i, j, earliest = 0, 0, datetime.combine(date.min if since is None else since, time(0, 0))
    while i < len(here) and j < len(there):
        begin, close = max(here[i][0], there[j][0], earliest), min(here[i][1], there[j][1])
        if begin < close:
            return begin
        if here[i][1] <= there[j][1]:
            i += 1
        else:
            j += 1
    return None


def _counts(window: TimeWindow, validity: Validity, day: date) -> bool:
    """Whether the hours of `window` that begin on `day` hold."""
    if not validity.holds_on(day):
        return False
    if day in validity.extra:
        return True
    plan = validity.holidays
    return day.weekday() in window.weekdays if plan is None else plan.counts(day, window.weekdays)


_OPEN = date(2024, 1, 1)
"""A Monday from which a search begins where no first day is given; any does, as weeks repeat."""


def _days(*validities: Validity, since: date | None = None) -> tuple[date, date]:
    """First and last day worth a search for something that needs all of these."""
    firsts = [v.first for v in validities if v.first is not None]
    lasts = [v.last for v in validities if v.last is not None]
    single = [day for v in validities for day in v.extra | v.never]
    first = max(firsts) if firsts else min([min(lasts) - timedelta(days=YEAR) if lasts else _OPEN, *single])
    if since is not None:
        first = max(first, since) if firsts else since
    return first, min(lasts) if lasts else max([first, *single]) + timedelta(days=YEAR)
