"""The lunar calendar as it is kept in Viet Nam (by the sky at UTC+7), and rules in its words."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache, lru_cache

from lunar_vn import solar_to_lunar

from server.domain.errors import Finding, PatternError

FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Solar years for which the calendar is known here."""

_SHORT_MONTH = 29
_MOST_DAYS = 30
_MOST_MONTHS = 12
_UTC_OFFSET_H = 7.0
_PATTERN = re.compile(
    r"DAY=(-1|[1-9][0-9]?)(?:;MONTH=([1-9][0-9]?))?(?:;LEAP=(regular|leap|both))?", re.ASCII
)


class Leap(StrEnum):
    """Which of two months of the same number is meant, in a year that has a leap month."""

    REGULAR = "regular"
    LEAP = "leap"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class LunarDay:
    """A day by the moon."""

    day: int
    month: int
    leap: bool


@dataclass(frozen=True, slots=True)
class LunarMonth:
    """A month from new moon to new moon, by its solar days."""

    first_day: date
    length_days: int
    month: int
    leap: bool


@dataclass(frozen=True, slots=True)
class LunarRule:
    """A day of each lunar month, or of one lunar month each year.

    Attributes:
        day: 1 to 30, or -1 for the last of the month. A month of 29 days has no 30th.
        month: None: of every month.
    """

    day: int
    month: int | None
    leap: Leap

    def days(self, start: date, end: date) -> Iterator[date]:
        """Yield its solar days from ``start`` to ``end``, as far as the calendar is known."""
        months = all_months()
        for month in months[max(0, bisect_right(months, start, key=_begin) - 1) :]:
            if month.first_day > end:
                return
            day = self._day_of(month)
            if day is not None and start <= day <= end:
                yield day

    def _day_of(self, month: LunarMonth) -> date | None:
        if self.month not in {None, month.month}:
            return None
        if (self.leap is Leap.REGULAR and month.leap) or (
            self.leap is Leap.LEAP and not month.leap
        ):
            return None
        day = month.length_days if self.day < 0 else self.day
        return None if day > month.length_days else month.first_day + timedelta(days=day - 1)


@lru_cache(maxsize=1024)
def lunar_rule(text: str) -> LunarRule:
    """Read ``DAY=15``, ``DAY=10;MONTH=3`` or ``DAY=1;MONTH=6;LEAP=both``.

    Without ``LEAP``, a rule of every month counts leap months too, one of a given month does not.

    Raises:
        PatternError: It says something else.
    """
    found = _PATTERN.fullmatch(text)
    if found is None or int(found[1]) > _MOST_DAYS or int(found[2] or 1) > _MOST_MONTHS:
        raise PatternError(Finding("bad-lunar-day"))
    month = int(found[2]) if found[2] else None
    return LunarRule(int(found[1]), month, Leap(found[3] or (Leap.REGULAR if month else Leap.BOTH)))


def lunar_day(day: date) -> LunarDay | None:
    """Tell which day it is by the moon; None: outside the years that are known here."""
    months = all_months()
    place = bisect_right(months, day, key=_begin) - 1
    if place < 0 or (day - months[place].first_day).days >= months[place].length_days:
        return None
    month = months[place]
    return LunarDay((day - month.first_day).days + 1, month.month, month.leap)


@cache
def all_months() -> tuple[LunarMonth, ...]:
    """List every month that begins and ends within the known years."""
    first = date(FIRST_YEAR, 1, 1)
    while solar_to_lunar(first, _UTC_OFFSET_H).day != 1:
        first += timedelta(days=1)
    found = []
    while (first + timedelta(days=_MOST_DAYS)).year <= LAST_YEAR:
        short = solar_to_lunar(first + timedelta(days=_SHORT_MONTH), _UTC_OFFSET_H).day == 1
        length_days = _SHORT_MONTH if short else _MOST_DAYS
        moon = solar_to_lunar(first, _UTC_OFFSET_H)
        found.append(LunarMonth(first, length_days, moon.month, moon.leap))
        first += timedelta(days=length_days)
    return tuple(found)


def _begin(month: LunarMonth) -> date:
    return month.first_day
