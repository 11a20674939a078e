"""A second opinion on clashes: lay everything out second by second of the wall, and compare all.

It shares nothing with the product but the values that it judges.
"""

import calendar
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from random import Random

import holidays
from dateutil.rrule import rrulestr

from protocol.messages import BulletinClass
from server.domain.clashes import Occupant
from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import LOCAL, Recurrence, Rule
from tests.factories.skies import months_by_the_sky

A_DAY = timedelta(days=1)
WINDOW_DAYS = 75
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

TODAYS = (
    date(2026, 11, 21),  # a Saturday; the month ends on a Monday
    date(2026, 12, 30),
    date(2027, 2, 5),  # the eve of Tết, and a February of 28 days
    date(2028, 2, 27),  # a leap year
    date(2027, 8, 30),
)
STARTS = (time(0), time(0, 0, 1), time(5, 30), time(5, 40), time(12), time(23, 30), time(23, 59))
LENGTHS_S = (0, 1, 60, 600, 1800, 3600, 43_200, 86_399, 86_400)
MONTHLY = ("BYMONTHDAY=28", "BYMONTHDAY=-1", "BYMONTHDAY=31", "BYDAY=-1SU", "BYDAY=1MO")
LUNAR = ("DAY=1", "DAY=15", "DAY=-1", "DAY=30", "DAY=1;MONTH=1", "DAY=15;MONTH=7;LEAP=both")
RRULES = (
    "FREQ=DAILY;INTERVAL=3;COUNT=9",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=MONTHLY;BYMONTHDAY=29,30,31",
)


@dataclass(frozen=True)
class Case:
    """Two slots and the moment at which one of them is to be saved."""

    new: Occupant
    other: Occupant
    now: datetime

    @property
    def window(self) -> tuple[date, date]:
        today = self.now.astimezone(LOCAL).date()
        return today - 2 * A_DAY, today + WINDOW_DAYS * A_DAY


def a_case(random: Random) -> Case:
    """Make two slots that often meet: by hours that touch, and by days of every kind."""
    today = random.choice(TODAYS)
    now = datetime.combine(today, _clock(random), LOCAL)
    one = _slot(random, "s-new", today)
    other = _slot(random, "s-old", today)
    return Case(one, other, now)


def days_met(case: Case) -> set[date]:
    """List the days of the window on which the new slot begins and meets the other."""
    new, other = case.new, case.other
    if new.bulletin_class != other.bulletin_class or not new.clusters & other.clusters:
        return set()
    if (other.slot_id in new.overrides and new.level < other.level) or (
        new.slot_id in other.overrides and other.level < new.level
    ):
        return set()
    now = case.now.replace(tzinfo=None)
    first, last = case.window
    theirs = _laid_out(other.rule, first - 2 * A_DAY, last + 2 * A_DAY)
    return {
        start.date()
        for start, end in _laid_out(new.rule, first, last)
        if any(max(start, begin, now) < min(end, until) for begin, until in theirs)
    }


def _laid_out(rule: Rule, first: date, last: date) -> list[tuple[datetime, datetime]]:
    found = []
    for day in _days(first, last):
        if _comes_on(rule, day):
            start = datetime.combine(day, rule.local_start)
            found.append((start, start + rule.length))
    return found


def _days(first: date, last: date) -> list[date]:
    return [first + ahead * A_DAY for ahead in range((last - first).days + 1)]


def _comes_on(rule: Rule, day: date) -> bool:
    if day < rule.first_day or (rule.last_day and day > rule.last_day) or day in rule.excluded:
        return False
    wanted = {HolidayChoice.EXCEPT: False, HolidayChoice.ONLY: True}.get(rule.holidays)
    if wanted is not None and (day in _holidays(day.year)) is not wanted:
        return False
    return _is_regular(rule, day)


def _is_regular(rule: Rule, day: date) -> bool:
    match rule.recurrence:
        case Recurrence.ONCE:
            return day == rule.first_day
        case Recurrence.DAILY:
            return True
        case Recurrence.WEEKLY:
            return f"{rule.weekdays:07b}"[6 - day.weekday()] == "1"
        case Recurrence.MONTHLY:
            return _is_in_month(rule.pattern, day)
        case Recurrence.LUNAR:
            return _is_by_moon(rule.pattern, day)
        case Recurrence.RRULE:
            return day in _by_dateutil(rule.pattern, rule.first_day)


@cache
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("VN", years=year))


def _is_in_month(pattern: str, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    name, _, value = pattern.partition("=")
    if name == "BYMONTHDAY":
        return day.day == int(value) or day.day == length + 1 + int(value)
    weekday, nth = WEEKDAYS.index(value[-2:]), int(value[:-2])
    same = [one for one in range(1, length + 1) if (day.weekday() + one - day.day) % 7 == weekday]
    return day.day in same and same.index(day.day) == (nth - 1 if nth > 0 else len(same) + nth)


@cache
def _moons() -> list[date]:
    return sorted(months_by_the_sky("2024/11/1", "2030/3/1"))


def _is_by_moon(pattern: str, day: date) -> bool:
    begins = _moons()
    place = bisect_right(begins, day) - 1
    month, leap = months_by_the_sky("2024/11/1", "2030/3/1")[begins[place]]
    wanted = dict(part.split("=") for part in pattern.split(";"))
    if "MONTH" in wanted and (
        int(wanted["MONTH"]) != month or (leap and wanted.get("LEAP") != "both")
    ):
        return False
    length = (begins[place + 1] - begins[place]).days
    number = int(wanted["DAY"])
    return (day - begins[place]).days + 1 == (number if number > 0 else length)


@cache
def _by_dateutil(pattern: str, first: date) -> frozenset[date]:
    start = datetime.combine(first, time())
    rule = rrulestr(pattern, dtstart=start)
    return frozenset(at.date() for at in rule.between(start, start + 200 * A_DAY, inc=True))


def _slot(random: Random, slot_id: str, today: date) -> Occupant:
    other_id = {"s-new": "s-old", "s-old": "s-new"}[slot_id]
    return Occupant(
        slot_id=slot_id,
        unit_id="xa-1",
        unit_name="Xã Một",
        level=random.randint(0, 1),
        title="Bản tin",
        bulletin_class=random.choice([BulletinClass.ORDINARY] * 4 + [BulletinClass.PRIORITY]),
        rule=_rule(random, today),
        clusters=frozenset(random.sample(["c-1", "c-2", "c-3", "c-4"], random.randint(1, 3))),
        overrides=frozenset({other_id} if random.random() < 0.1 else ()),
    )


def _rule(random: Random, today: date) -> Rule:
    recurrence = random.choice([*Recurrence, Recurrence.DAILY, Recurrence.WEEKLY])
    patterns = {
        Recurrence.MONTHLY: MONTHLY,
        Recurrence.LUNAR: LUNAR,
        Recurrence.RRULE: RRULES,
    }
    first = today + random.randint(-6, 9) * A_DAY
    return Rule(
        recurrence,
        _clock(random),
        timedelta(seconds=random.choice(LENGTHS_S)),
        first,
        random.choice([None, None, first + random.randint(0, 60) * A_DAY]),
        random.randint(1, 127),
        random.choice(patterns.get(recurrence, ("",))),
        random.choice([HolidayChoice.ANY] * 3 + [HolidayChoice.EXCEPT, HolidayChoice.ONLY]),
        excluded=frozenset(first + ahead * A_DAY for ahead in random.sample(range(9), 2)),
    )


def _clock(random: Random) -> time:
    return random.choice([*STARTS, time(random.randrange(24), random.randrange(60))])
