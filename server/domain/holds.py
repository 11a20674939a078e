"""The time that a slot holds, in ranges that a database can compare by itself.

Two slots clash just where all three of the ranges of some of their holds overlap: the stretch of
the week, the weeks, and the clusters by number. An occurrence across midnight is one stretch; one
across the end of Sunday is two, the second a week later.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from protocol.messages import BulletinClass
from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import Recurrence, Rule, local_day
from server.domain.rrules import LAST_DAY

FORESEEN = timedelta(days=400)
"""How far ahead days are listed of a rule that does not go by the week."""

_MICRO = 1_000_000
_DAY = 86_400 * _MICRO
_WEEK = 7 * _DAY
_DAYS = 7
_CLASSES = tuple(BulletinClass)

Range = tuple[int, int | None]
"""Half-open; no end: for ever."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One stretch of some weeks.

    Attributes:
        stretch: Microseconds since Monday midnight, moved on by a week for each class of bulletin:
            stretches of different classes never overlap.
        weeks: Numbers of weeks since the year 1.
    """

    stretch: tuple[int, int]
    weeks: tuple[Range, ...]


def holds(bulletin_class: BulletinClass, rule: Rule, now: datetime) -> list[Hold]:
    """Work out what a rule holds from its next beginning on; irregular ones for a good year.

    What has begun already is left out: of two that met before now, nobody needs to be told.
    """
    found = []
    today = local_day(now)
    since = today if rule.occurrence(today)[0] >= now else today + timedelta(days=1)
    for weekday, weeks in _weeks(rule, since).items():
        for stretch, ahead in _stretches(rule, weekday):
            moved = tuple((a + ahead, None if b is None else b + ahead) for a, b in weeks)
            offset = _CLASSES.index(bulletin_class) * _WEEK
            found.append(Hold((stretch[0] + offset, stretch[1] + offset), moved))
    return found


def _stretches(rule: Rule, weekday: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Give the stretches of what begins on a weekday, and how many weeks later each lies."""
    start = rule.local_start
    second = start.hour * 3600 + start.minute * 60 + start.second
    begins = weekday * _DAY + second * _MICRO + start.microsecond
    ends = begins + rule.length // timedelta(microseconds=1)
    yield (begins, min(ends, _WEEK)), 0
    if ends > _WEEK:
        yield (0, ends - _WEEK), 1


def _weeks(rule: Rule, since: date) -> dict[int, tuple[Range, ...]]:
    """List the weeks in which a rule begins on each weekday."""
    weekly = rule.recurrence in {Recurrence.DAILY, Recurrence.WEEKLY}
    if weekly and rule.holidays is HolidayChoice.ANY:
        return {
            weekday: weeks
            for weekday in range(_DAYS)
            if (rule.recurrence is Recurrence.DAILY or rule.weekdays >> weekday & 1)
            and (weeks := _by_the_week(rule, weekday, since))
        }
    listed: dict[int, list[int]] = {}
    for day in rule.days(since, since + FORESEEN):
        listed.setdefault(day.weekday(), []).append(_week_of(day))
    return {weekday: ranges(weeks) for weekday, weeks in listed.items()}


def _by_the_week(rule: Rule, weekday: int, since: date) -> tuple[Range, ...]:
    first = max(rule.first_day, since)
    begin = _week_of(first + timedelta(days=(weekday - first.weekday()) % _DAYS))
    end = None
    if rule.last_day is not None and rule.last_day < LAST_DAY:
        last = rule.last_day - timedelta(days=(rule.last_day.weekday() - weekday) % _DAYS)
        end = _week_of(last) + 1
    return _without(
        (begin, end), sorted(_week_of(d) for d in rule.excluded if d.weekday() == weekday)
    )


def _without(whole: Range, left_out: Iterable[int]) -> tuple[Range, ...]:
    begin, end = whole
    found: list[Range] = []
    for week in left_out:
        if week >= begin and (end is None or week < end):
            found.append((begin, week))
            begin = week + 1
    found.append((begin, end))
    return tuple(one for one in found if one[1] is None or one[0] < one[1])


def ranges(numbers: Iterable[int]) -> tuple[Range, ...]:
    """Join neighbouring numbers into ranges."""
    found = []
    ordered = enumerate(sorted(set(numbers)))
    for _, run in groupby(ordered, key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        found.append((members[0], members[-1] + 1))
    return tuple(found)


def _week_of(day: date) -> int:
    return (day.toordinal() - 1) // _DAYS
