"""Local wall-clock rules to UTC instants, in the one zone that times are shown in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

from server.domain.errors import Finding, PatternError
from server.domain.lunar import lunar_rule
from server.domain.public_holidays import HolidayChoice
from server.domain.rrule_text import recurrence_set
from server.domain.rrules import LAST_DAY
from server.domain.zone import LOCAL

__all__ = [
    "EVERY_DAY",
    "LOCAL",
    "Recurrence",
    "Rule",
    "check",
    "day_bounds",
    "instant",
    "local_day",
]

EVERY_DAY = 0b1111111
_WEEK, _WEEKDAY_OF_NOUGHT = 7, 6
_FEW = timedelta(days=31)
_MONTHLY_PARTS = ("BYMONTHDAY=", "BYDAY=")

_USABLE_DAYS = (date(2000, 1, 1), date(2200, 1, 1))


class Recurrence(StrEnum):
    """How often a slot comes back."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    LUNAR = "lunar"
    RRULE = "rrule"


@dataclass(frozen=True, slots=True)
class Rule:
    """When something recurs, by the clock on the wall.

    Attributes:
        weekdays: Bit 0 is Monday; read for weekly rules only.
        first_day, last_day: Local days, both inclusive; no ``last_day``: without end.
        length: How long each occurrence lasts; it may cross midnight.
        pattern: For monthly rules ``BYMONTHDAY=15`` or ``BYDAY=2TU``, for lunar ones as in
            ``lunar.lunar_rule``, for others as in ``rrule_text.recurrence_set``; else empty.
        excluded: Local days on which it does not begin, whatever the rest says.
    """

    recurrence: Recurrence
    local_start: time
    length: timedelta
    first_day: date
    last_day: date | None = None
    weekdays: int = EVERY_DAY
    pattern: str = ""
    holidays: HolidayChoice = HolidayChoice.ANY
    excluded: frozenset[date] = frozenset()

    @property
    def by_the_week(self) -> bool:
        """Whether any two weeks between its first and last day are alike."""
        return self.is_quick and self.holidays is HolidayChoice.ANY and not self.excluded

    @property
    def is_quick(self) -> bool:
        """Whether a day can be judged by itself, see ``begins_on``."""
        return self.recurrence in {Recurrence.ONCE, Recurrence.DAILY, Recurrence.WEEKLY}

    def begins_on(self, day: date) -> bool:
        """Tell whether a quick rule begins on a local day."""
        if day < self.first_day or (self.last_day is not None and day > self.last_day):
            return False
        if self.recurrence is Recurrence.ONCE and day != self.first_day:
            return False
        if self.recurrence is Recurrence.WEEKLY and not self.weekdays >> day.weekday() & 1:
            return False
        return self._lets(day)

    def _lets(self, day: date) -> bool:
        return day not in self.excluded and self.holidays.lets(day)

    def occurrence(self, day: date) -> tuple[datetime, datetime]:
        """Give start and end, in UTC, of the occurrence that begins on a local day."""
        begins = instant(day, self.local_start)
        return begins, begins + self.length

    def occurrences(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield (start, end) of every occurrence that touches ``start`` to ``end``, in UTC."""
        at, length = self.local_start, self.length
        for day in self.days(*_touched(start, end, length)):
            begins = instant(day, at)
            ends = begins + length
            if begins < end and ends > start:
                yield begins, ends

    def next_occurrence(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Find the first occurrence that is not over at ``now``; None: it never comes again."""
        return next(self.occurrences(now, day_bounds(LAST_DAY)[1]), None)

    def days(self, start: date, end: date) -> Iterator[date]:
        """Yield, in order, the local days from ``start`` to ``end`` on which it begins."""
        first = max(self.first_day, start)
        last = min(self.last_day or LAST_DAY, end, LAST_DAY)
        if first > last:
            return iter(())
        days = self._days(first, last)
        if self.holidays is HolidayChoice.ANY and not self.excluded:
            return days
        return filter(self._lets, days)

    def _days(self, first: date, last: date) -> Iterator[date]:
        match self.recurrence:
            case Recurrence.ONCE:
                return iter((self.first_day,) if first == self.first_day else ())
            case Recurrence.DAILY:
                return _counted(first, last, EVERY_DAY)
            case Recurrence.WEEKLY:
                return _counted(first, last, self.weekdays)
            case Recurrence.MONTHLY:
                monthly = recurrence_set(f"FREQ=MONTHLY;{self.pattern}", self.local_start)
                return monthly.days(self.first_day, first, last)
            case Recurrence.LUNAR:
                return lunar_rule(self.pattern).days(first, last)
            case Recurrence.RRULE:
                rule = recurrence_set(self.pattern, self.local_start)
                return rule.days(self.first_day, first, last)


def _counted(first: date, last: date, weekdays: int) -> Iterator[date]:
    if last - first <= _FEW:
        return iter(_listed(first, last, weekdays))
    return _count(first, last, weekdays)


@lru_cache(maxsize=4096)
def _listed(first: date, last: date, weekdays: int) -> tuple[date, ...]:
    """List some days of a few weeks; very many slots are asked about the same ones."""
    return tuple(_count(first, last, weekdays))


def _count(first: date, last: date, weekdays: int) -> Iterator[date]:
    # Plain counting: dateutil's rrule gives the same days at several times the cost.
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        if weekdays >> (ordinal + _WEEKDAY_OF_NOUGHT) % _WEEK & 1:
            yield date.fromordinal(ordinal)


@lru_cache(maxsize=1024)
def _touched(start: datetime, end: datetime, length: timedelta) -> tuple[date, date]:
    """Name the first and last day from which something so long may reach into a stretch."""
    return local_day(start - length), local_day(end)


@lru_cache(maxsize=8192)
def instant(day: date, at: time) -> datetime:
    """Turn a time on the wall into an instant; very many slots begin at the same ones."""
    return datetime.combine(day, at, LOCAL).astimezone(UTC)


def check(recurrence: Recurrence, pattern: str, local_start: time) -> None:
    """Refuse a pattern that the recurrence cannot use.

    Raises:
        PatternError: With what is wrong.
    """
    match recurrence:
        case Recurrence.MONTHLY:
            if not pattern.startswith(_MONTHLY_PARTS) or ";" in pattern or "\n" in pattern:
                raise PatternError(Finding("bad-month-day"))
            recurrence_set(f"FREQ=MONTHLY;{pattern}", local_start)
        case Recurrence.LUNAR:
            lunar_rule(pattern)
        case Recurrence.RRULE:
            recurrence_set(pattern, local_start)
        case Recurrence.ONCE | Recurrence.DAILY | Recurrence.WEEKLY:
            if pattern:
                raise PatternError(Finding("pattern-unused"))


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
