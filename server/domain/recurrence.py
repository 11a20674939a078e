"""Local wall-clock rules to UTC instants, in the one zone that times are shown in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
EVERY_DAY = 0b1111111

_USABLE_DAYS = (date(2000, 1, 1), date(2200, 1, 1))


class Recurrence(StrEnum):
    """How often a slot comes back."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Rule:
    """When something recurs, by the clock on the wall.

    Attributes:
        weekdays: Bit 0 is Monday; read for weekly rules only.
        first_day, last_day: Local days, both inclusive; no ``last_day``: without end.
        length: How long each occurrence lasts; it may cross midnight.
    """

    recurrence: Recurrence
    local_start: time
    length: timedelta
    first_day: date
    last_day: date | None = None
    weekdays: int = EVERY_DAY

    def occurrences(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield (start, end) of every occurrence that touches ``start`` to ``end``, in UTC."""
        earliest = local_day(start - self.length)
        latest = local_day(end)
        first = max(self.first_day, earliest)
        last = min(self.last_day or latest, latest)
        for day in self._days(first, last):
            begins = datetime.combine(day, self.local_start, LOCAL).astimezone(UTC)
            if begins < end and begins + self.length > start:
                yield begins, begins + self.length

    def _days(self, first: date, last: date) -> Iterator[date]:
        if first > last:
            return
        if self.recurrence is Recurrence.ONCE:
            if first <= self.first_day <= last:
                yield self.first_day
            return
        # Plain counting: dateutil's rrule gives the same days at several times the cost.
        weekdays = self.weekdays if self.recurrence is Recurrence.WEEKLY else EVERY_DAY
        for ahead in range((last - first).days + 1):
            day = first + timedelta(days=ahead)
            if weekdays >> day.weekday() & 1:
                yield day


def local_day(now: datetime) -> date:
    """Tell which day it is on the wall at ``now``."""
    return now.astimezone(LOCAL).date()


def is_usable(day: date) -> bool:
    """Tell whether a day is far enough from the ends of the calendar to be reckoned with."""
    return _USABLE_DAYS[0] <= day < _USABLE_DAYS[1]


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Give the first instant of a local day, and of the next, in UTC."""
    start = datetime.combine(day, time(), LOCAL)
    end = datetime.combine(day + timedelta(days=1), time(), LOCAL)
    return start.astimezone(UTC), end.astimezone(UTC)
