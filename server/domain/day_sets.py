"""Days as the bits of one number, so that what two rules share in ten years is one AND.

A number speaks of the days of some years from 1 January of the first; bit n is the nth day after.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache

from server.domain.lunar import lunar_rule
from server.domain.public_holidays import HolidayChoice, holidays_of
from server.domain.recurrence import Recurrence, Rule
from server.domain.rrule_text import recurrence_set
from server.domain.rrules import LAST_DAY, Frequency, RecurrenceSet, end_of_count

SPAN_YEARS = 12
"""How many years one number speaks of."""

_WEEK = 7
_MONTHS = range(1, 13)
_LONGEST_MONTH = 31


@dataclass(frozen=True, slots=True)
class Days:
    """Some days of the span that begins with a year."""

    year: int
    bits: int

    def __iter__(self) -> Iterator[date]:
        """Yield them in order."""
        first, bits = _first(self.year), self.bits
        while bits:
            lowest = bits & -bits
            yield date.fromordinal(first + lowest.bit_length() - 1)
            bits ^= lowest

    def __len__(self) -> int:
        """Count them."""
        return self.bits.bit_count()


def span_of(day: date) -> int:
    """Name the span in which a day and the two before it lie, with ten years after it."""
    return (day - timedelta(days=2)).year


def days_of(rule: Rule, year: int) -> int:
    """Give the days on which a rule begins, in the span that begins with a year."""
    last = rule.last_day or LAST_DAY
    if rule.recurrence is Recurrence.ONCE:
        days = bit(year, rule.first_day) if rule.first_day <= min(last, LAST_DAY) else 0
    else:
        days = _regular(rule, year) & onwards(year, rule.first_day) & _until(year, last)
    if rule.holidays is not HolidayChoice.ANY:
        days &= _let(rule.holidays, year)
    return days & ~_set(year, rule.excluded) if rule.excluded else days


def bit(year: int, day: date) -> int:
    """Give the bit of one day; none outside the span."""
    first, length = _bounds(year)
    place = day.toordinal() - first
    return 1 << place if 0 <= place < length else 0


def between(year: int, first: date, last: date) -> int:
    """Give all days from the first to the last, both included."""
    origin, length = _bounds(year)
    begin = first.toordinal() - origin
    end = last.toordinal() + 1 - origin
    if begin <= 0 and end >= length:
        return _whole(year)
    begin, end = max(0, begin), min(length, end)
    return (1 << end) - (1 << begin) if begin < end else 0


@lru_cache(maxsize=4096)
def onwards(year: int, first: date) -> int:
    """Give all days from the first on; very many slots begin and end on the same ones."""
    return between(year, first, LAST_DAY)


@lru_cache(maxsize=4096)
def _until(year: int, last: date) -> int:
    return between(year, _day(year), min(last, LAST_DAY))


def _regular(rule: Rule, year: int) -> int:
    match rule.recurrence:  # the most frequent first: it is asked of thousands
        case Recurrence.WEEKLY:
            return _on_weekdays(year, rule.weekdays)
        case Recurrence.ONCE | Recurrence.DAILY:
            return _whole(year)
        case Recurrence.MONTHLY:
            return _by_rule(f"FREQ=MONTHLY;{rule.pattern}", rule.local_start, None, year)
        case Recurrence.LUNAR:
            return _by_moon(rule.pattern, year)
        case Recurrence.RRULE:
            return _by_rule(rule.pattern, rule.local_start, rule.first_day, year)


@lru_cache(maxsize=1024)
def _by_moon(pattern: str, year: int) -> int:
    return _set(year, lunar_rule(pattern).days(_day(year), _end(year)))


@lru_cache(maxsize=4096)
def _by_rule(text: str, at: time, since: date | None, year: int) -> int:
    """Lay one rule's parts over each other; a monthly rule is the same whenever it begins."""
    rule = recurrence_set(text, at)
    begin = since or _day(year)
    if begin > _end(year):
        return 0
    by_parts = _by_parts(rule, begin, year)
    if by_parts is None:
        return _set(year, rule.days(begin, max(begin, _day(year)), _end(year)))
    last = min(rule.until or LAST_DAY, end_of_count(rule, begin) or LAST_DAY)
    added = _set(year, (day for day in rule.added if day >= begin))
    return (by_parts & between(year, begin, last) | added) & ~_set(year, rule.left_out)


def _by_parts(rule: RecurrenceSet, begin: date, year: int) -> int | None:
    """Give the days of the parts that stand for themselves; None: some count within a period."""
    ranked = [day for day in rule.weekdays if day[1]]
    within_year = rule.frequency is Frequency.YEARLY and not rule.months
    if (
        rule.set_positions
        or rule.weeks
        or rule.year_days
        or (ranked and (within_year or len(ranked) < len(rule.weekdays)))
    ):
        return None
    months, month_days, weekdays = rule.months, rule.month_days, rule.weekdays
    if rule.frequency is Frequency.WEEKLY and not weekdays:
        weekdays = ((begin.weekday(), 0),)
    if rule.frequency in {Frequency.MONTHLY, Frequency.YEARLY} and not (month_days or weekdays):
        month_days = (begin.day,)
        if within_year:
            months = (begin.month,)
    days = _in_step(rule, begin, year)
    if months:
        days &= _in_months(year, months)
    if month_days:
        days &= _on_month_days(year, month_days)
    if weekdays:
        days &= _either(_on_weekday(year, day, nth) for day, nth in weekdays)
    return days


def _in_step(rule: RecurrenceSet, begin: date, year: int) -> int:
    """Give the days of the periods that the interval counts."""
    if rule.interval == 1:
        return _whole(year)
    first = _first(year)
    match rule.frequency:
        case Frequency.DAILY:
            return _every(year, rule.interval, 1, begin.toordinal() - first)
        case Frequency.WEEKLY:
            week = begin.toordinal() - (begin.weekday() - rule.week_start) % _WEEK
            return _every(year, _WEEK * rule.interval, _WEEK, week - first)
        case Frequency.MONTHLY:
            return _every_month(
                year, rule.interval, (begin.year * 12 + begin.month) % rule.interval
            )
        case Frequency.YEARLY:
            return _either(
                between(year, date(one, 1, 1), date(one, 12, 31))
                for one in range(year, year + SPAN_YEARS)
                if (one - begin.year) % rule.interval == 0
            )


@lru_cache(maxsize=4096)
def _every(year: int, step: int, length: int, begin: int) -> int:
    """Give stretches of some days that come again after ``step`` days."""
    block = (1 << length) - 1
    start = begin % step - step  # the first may reach in from before
    times = _length(year) // step + 2
    row = block * (((1 << step * times) - 1) // ((1 << step) - 1))
    return (row << start if start > 0 else row >> -start) & _whole(year)


@lru_cache(maxsize=1024)
def _every_month(year: int, interval: int, remainder: int) -> int:
    return _either(
        _month(one, month, year)
        for one in range(year, year + SPAN_YEARS)
        for month in _MONTHS
        if (one * 12 + month) % interval == remainder
    )


@lru_cache(maxsize=1024)
def _in_months(year: int, months: tuple[int, ...]) -> int:
    return _either(
        _month(one, month, year) for one in range(year, year + SPAN_YEARS) for month in months
    )


@lru_cache(maxsize=1024)
def _on_month_days(year: int, month_days: tuple[int, ...]) -> int:
    return _either(_on_month_day(year, one) for one in month_days)


@lru_cache(maxsize=1024)
def _on_month_day(year: int, number: int) -> int:
    """Give one day of each month, counted from either end; a short month may not have it."""
    found = []
    for one in range(year, year + SPAN_YEARS):
        for month in _MONTHS:
            begin = date(one, month, 1)
            length = _after(one, month) - begin.toordinal()
            if abs(number) <= length:
                ahead = number - 1 if number > 0 else length + number
                found.append(begin + timedelta(days=ahead))
    return _set(year, found)


def _on_weekday(year: int, weekday: int, nth: int) -> int:
    """Give a weekday of every week, or the nth of each month: it lies in its nth seven days."""
    every = _on_weekdays(year, 1 << weekday)
    if not nth:
        return every
    sign = 1 if nth > 0 else -1
    last = abs(nth) * _WEEK
    week = range(last - _WEEK + 1, min(last, _LONGEST_MONTH) + 1)
    return every & _on_month_days(year, tuple(sign * number for number in week))


@lru_cache(maxsize=1024)
def _on_weekdays(year: int, weekdays: int) -> int:
    ahead = _day(year).weekday()
    return _either(
        _every(year, _WEEK, 1, weekday - ahead)
        for weekday in range(_WEEK)
        if weekdays >> weekday & 1
    )


def _let(choice: HolidayChoice, year: int) -> int:
    holidays = _holidays(year)
    return holidays if choice is HolidayChoice.ONLY else _whole(year) & ~holidays


@lru_cache(maxsize=256)
def _holidays(year: int) -> int:
    years = range(year, min(year + SPAN_YEARS, LAST_DAY.year + 1))
    return _set(year, (day for one in years for day in holidays_of(one)))


@lru_cache(maxsize=256)
def _whole(year: int) -> int:
    return (1 << _length(year)) - 1


def _month(one: int, month: int, year: int) -> int:
    return between(year, date(one, month, 1), date.fromordinal(_after(one, month) - 1))


def _after(year: int, month: int) -> int:
    return date(year + month // 12, month % 12 + 1, 1).toordinal()


def _either(sets: Iterable[int]) -> int:
    together = 0
    for one in sets:
        together |= one
    return together


def _set(year: int, days: Iterable[date]) -> int:
    return _either(bit(year, day) for day in days)


def _first(year: int) -> int:
    return _bounds(year)[0]


def _length(year: int) -> int:
    return _bounds(year)[1]


@lru_cache(maxsize=256)
def _bounds(year: int) -> tuple[int, int]:
    """Tell on which day a span begins, and how many it has."""
    first = _day(year).toordinal()
    return first, _day(year + SPAN_YEARS).toordinal() - first


def _day(year: int) -> date:
    return date(year, 1, 1)


def _end(year: int) -> date:
    return _day(year + SPAN_YEARS) - timedelta(days=1)
