"""By when a department must be done: the limit counted on the right clock.

The three clocks are those of the bureau. Emergency hours (紧急工作时) run always. Working hours (工作时) are the office
hours of workdays. Workdays (工作日) are whole days: the day on which the case is dispatched is not counted and the last
one ends when the office closes, as Civil Code articles 201 and 203 count periods of days. Which day is a workday,
make-up workdays and all, is asked of the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from detector.core.category import Clock, Deadline

IsWorkday = Callable[[date], bool]

DAY = timedelta(days=1)
LONGEST_PAUSE = 400
"""Days without a workday after which the calendar is taken to be wrong."""


@dataclass(frozen=True, slots=True)
class Office:
    """When people work, on the wall clock of the bureau."""

    zone: tzinfo
    is_workday: IsWorkday
    hours: tuple[tuple[time, time], ...] = ((time(8), time(12)), (time(14), time(18)))
    """(start, end) within one day, in order and apart; the default is 08-12 and 14-18."""

    def __post_init__(self) -> None:
        ends = [moment for span in self.hours for moment in span]
        if not ends or ends != sorted(set(ends)):
            raise ValueError("office hours must follow each other within a day")

    def spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The rest of the office hours from `start` (aware) on, as (begin, end) in UTC, for ever.

        Raises ValueError when the calendar knows no workday within LONGEST_PAUSE days.
        """
        for day in self.workdays(start.astimezone(self.zone).date()):
            for opens, closes in self.hours:
                begin, end = max(self._at(day, opens), start.astimezone(UTC)), self._at(day, closes)
                if begin < end:
                    yield begin, end

    def closing(self, day: date) -> datetime:
        """When the office closes on `day`, UTC."""
        return self._at(day, self.hours[-1][1])

    def workdays(self, day: date) -> Iterator[date]:
        """The workdays from `day` on, `day` included, for ever; raises ValueError as `spans` does."""
        pause = 0
        while pause < LONGEST_PAUSE:
            if self.is_workday(day):
                yield day
                pause = 0
            pause += 1
            day += DAY
        raise ValueError(f"the calendar knows no workday in the {LONGEST_PAUSE} days before {day}")

    def _at(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, self.zone).astimezone(UTC)


def due(start: datetime, deadline: Deadline, office: Office) -> datetime:
    """The moment (aware UTC) at which the limit is used up when the clock starts at `start` (aware).

    A limit that ends with the morning is due when the morning closes, not when the afternoon opens. Parts of a
    workday count as a whole one.
    """
    match deadline.clock:
        case Clock.EMERGENCY:
            return start.astimezone(UTC) + deadline.limit
        case Clock.WORKING_HOURS:
            return _after_working_hours(start, deadline.limit, office)
        case Clock.WORKDAYS:
            return _after_workdays(start, deadline.limit, office)


def _after_working_hours(start: datetime, limit: timedelta, office: Office) -> datetime:
    left = limit
    for begin, end in office.spans(start):
        if end - begin >= left:
            return begin + left
        left -= end - begin
    raise AssertionError("office hours never end")


def _after_workdays(start: datetime, limit: timedelta, office: Office) -> datetime:
    whole = max(1, -(-limit // DAY))
    following = start.astimezone(office.zone).date() + DAY
    for number, day in enumerate(office.workdays(following), start=1):
        if number == whole:
            return office.closing(day)
    raise AssertionError("workdays never end")
