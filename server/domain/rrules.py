"""Rules in the words of RFC 5545 (iCalendar), as days: a rule, days left out and days added.

The periods of a rule (its days, weeks, months or years) are counted here, so that a search may
begin anywhere without losing the rule's phase, and ends where it is told to: an impossible rule
costs no more than the stretch that is asked for. What falls within a month or a year is worked out
by dateutil.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from heapq import merge

from dateutil import rrule

LAST_DAY = date(2199, 12, 31)
"""No rule is followed beyond this day."""

_WEEK = 7
_YEAR = 12
_ONE_PERIOD = 9999
"""Of years: with steps as wide as this, dateutil's calendar ends after the first of them."""


class Frequency(StrEnum):
    """What a rule's interval counts; shorter ones than a day are not for loudspeakers."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class RecurrenceSet:
    """A parsed rule; how a text becomes one is in ``rrule_text``.

    Attributes:
        until: Last local day on which it may come.
        weekdays: Pairs of a weekday (0 is Monday) and which one of the period; 0: each.
        set_positions: Which of the days that a period would give are kept.
        week_start: Weekday with which the rule's weeks begin.
        left_out, added: Days by name; they count neither for nor against ``count``.
    """

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: date | None = None
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()
    set_positions: tuple[int, ...] = ()
    week_start: int = 0
    left_out: tuple[date, ...] = ()
    added: tuple[date, ...] = ()

    def days(self, first_day: date, start: date, end: date) -> Iterator[date]:
        """Yield, in order, its days from ``start`` to ``end``, when it begins on ``first_day``."""
        last = min(end, self.until or end, end_of_count(self, first_day) or end)
        extra = (day for day in self.added if first_day <= day <= end)
        before = None
        for day in merge(self._regular(first_day, max(first_day, start), last), extra):
            if day >= start and day != before and day not in self.left_out:
                yield day
            before = day

    def _regular(self, first_day: date, start: date, end: date) -> Iterator[date]:
        if start > end:
            return
        begun = self._period_of(first_day)
        passed = max(0, self._period_of(start) - begun) // self.interval
        for period in range(
            begun + passed * self.interval, self._period_of(end) + 1, self.interval
        ):
            for day in self._days_of(period, first_day):
                if start <= day <= end:
                    yield day

    def _period_of(self, day: date) -> int:
        """Number the day's period, so that neighbours have neighbouring numbers."""
        match self.frequency:
            case Frequency.DAILY:
                return day.toordinal()
            case Frequency.WEEKLY:
                return (day.toordinal() - 1 - self.week_start) // _WEEK
            case Frequency.MONTHLY:
                return day.year * _YEAR + day.month - 1
            case Frequency.YEARLY:
                return day.year

    def _days_of(self, period: int, first_day: date) -> Sequence[date]:
        match self.frequency:
            case Frequency.DAILY:
                return self._kept([date.fromordinal(period)], self.weekdays)
            case Frequency.WEEKLY:
                monday = period * _WEEK + 1 + self.week_start
                week = [date.fromordinal(monday + ahead) for ahead in range(_WEEK)]
                weekdays = self.weekdays or ((first_day.weekday(), 0),)
                return self._kept([day for day in week if day >= first_day], weekdays)
            case Frequency.MONTHLY | Frequency.YEARLY:
                is_told = self.weeks or self.year_days or self.month_days or self.weekdays
                return _worked_out(self, period, None if is_told else first_day)

    def _kept(self, days: list[date], weekdays: tuple[tuple[int, int], ...]) -> list[date]:
        """Keep of a day or a week what the rule's parts leave."""
        kept = [
            day
            for day in days
            if (not self.months or day.month in self.months)
            and (not self.month_days or _is_month_day(day, self.month_days))
            and (not weekdays or (day.weekday(), 0) in weekdays)
        ]
        if not self.set_positions:
            return kept
        places = {at - 1 if at > 0 else len(kept) + at for at in self.set_positions}
        return [day for place, day in enumerate(kept) if place in places]


def _is_month_day(day: date, wanted: tuple[int, ...]) -> bool:
    """Tell whether it is one of the days of the month, counted from either end."""
    month = day.replace(day=1).toordinal()
    after = date(day.year + day.month // _YEAR, day.month % _YEAR + 1, 1).toordinal()
    return day.day in wanted or day.day - 1 - (after - month) in wanted


@lru_cache(maxsize=4096)
def end_of_count(rule: RecurrenceSet, first_day: date) -> date | None:
    """Find the day on which a counted rule comes for the last time: where it is begun matters."""
    if rule.count is None:
        return None
    last = min(rule.until or LAST_DAY, LAST_DAY)
    day = first_day
    for number, day in enumerate(rule._regular(first_day, first_day, last), 1):  # noqa: SLF001 - the same module; the last day is what is looked for
        if number == rule.count:
            return day
    return last


@lru_cache(maxsize=32_768)
def _worked_out(rule: RecurrenceSet, period: int, implied: date | None) -> tuple[date, ...]:
    """Ask dateutil for the days of one month or year; a bare rule takes its day from the first."""
    months, month_days = rule.months, rule.month_days
    by_month = rule.frequency is Frequency.MONTHLY
    year, month = divmod(period, _YEAR) if by_month else (period, 0)
    if implied is not None:
        month_days = (implied.day,)
        if not by_month and not months:
            months = (implied.month,)
    found = rrule.rrule(
        rrule.MONTHLY if by_month else rrule.YEARLY,
        datetime(year, month + 1, 1),  # noqa: DTZ001 - day on the wall
        interval=_ONE_PERIOD * (_YEAR if by_month else 1),
        wkst=rule.week_start,
        bysetpos=rule.set_positions or None,
        bymonth=months or None,
        bymonthday=month_days or None,
        byyearday=rule.year_days or None,
        byweekno=rule.weeks or None,
        byweekday=[rrule.weekday(day, nth or None) for day, nth in rule.weekdays] or None,
    )
    return tuple(at.date() for at in found)
