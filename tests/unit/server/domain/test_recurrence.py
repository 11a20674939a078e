"""Rules by the clock on the wall, made into instants."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import takewhile

from dateutil.rrule import rrulestr
from holidays import country_holidays
from hypothesis import given, settings
from hypothesis import strategies as st
from lunar_vn import solar_to_lunar

from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import LOCAL, Recurrence, day_bounds, local_day
from tests.factories.slots import SUNDAY_ONLY, TODAY, a_rule, rules

A_DAY = timedelta(days=1)
PUBLIC = country_holidays("VN", years=(2026, 2027))
SLOW_DAYS = (TODAY - 60 * A_DAY, TODAY + 120 * A_DAY)


def days_of(rule, start: date, end: date) -> list[date]:
    """The local days on which the rule begins, from ``start`` up to ``end``."""
    found = rule.occurrences(day_bounds(start)[0], day_bounds(end)[0])
    return [local_day(begins) for begins, _ in found if local_day(begins) >= start]


def is_its_day(rule, day: date) -> bool:
    """Judge a day by itself, with the libraries' own words where they have some."""
    match rule.recurrence:
        case Recurrence.ONCE:
            return day == rule.first_day
        case Recurrence.DAILY:
            return True
        case Recurrence.WEEKLY:
            return bool(rule.weekdays >> day.weekday() & 1)
        case Recurrence.LUNAR:
            moon, tomorrow = solar_to_lunar(day), solar_to_lunar(day + A_DAY)
            wanted, _, month = rule.pattern.removeprefix("DAY=").partition(";MONTH=")
            is_day = tomorrow.day == 1 if wanted == "-1" else moon.day == int(wanted)
            return is_day and (not month or (moon.month == int(month) and not moon.leap))
        case Recurrence.MONTHLY | Recurrence.RRULE:
            monthly = "FREQ=MONTHLY;" if rule.recurrence is Recurrence.MONTHLY else ""
            return day in by_dateutil(f"{monthly}{rule.pattern}", rule.first_day, SLOW_DAYS[1])


@cache
def by_dateutil(text: str, first_day: date, end: date) -> frozenset[date]:
    """Let dateutil read the text, and walk from the first day on."""
    texts = [line if ":" in line else f"RRULE:{line}" for line in text.splitlines()]
    found = rrulestr("\n".join(texts), dtstart=datetime.combine(first_day, time()), forceset=True)
    walked = takewhile(lambda at: at.date() <= end, found)
    return frozenset(at.date() for at in walked if at.date() >= first_day)


def slowly(rule, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Try every day of some months, one after another."""
    found = []
    day = SLOW_DAYS[0]
    while day < SLOW_DAYS[1]:
        begins = datetime.combine(day, rule.local_start, LOCAL).astimezone(UTC)
        is_running = rule.first_day <= day and (rule.last_day is None or day <= rule.last_day)
        is_let = {
            HolidayChoice.ANY: True,
            HolidayChoice.EXCEPT: day not in PUBLIC,
            HolidayChoice.ONLY: day in PUBLIC,
        }[rule.holidays]
        touches = begins < end and start < begins + rule.length
        if is_running and is_let and touches and is_its_day(rule, day):
            found.append((begins, begins + rule.length))
        day += A_DAY
    return found


windows = st.builds(
    lambda start_min, length_min: (
        datetime(2026, 11, 21, tzinfo=UTC) + timedelta(minutes=start_min),
        datetime(2026, 11, 21, tzinfo=UTC) + timedelta(minutes=start_min + length_min),
    ),
    st.integers(-20 * 1440, 40 * 1440),
    st.integers(1, 20 * 1440),
)


@settings(deadline=None)
@given(rules, windows)
def test_occurrences_are_those_that_a_slow_search_finds(rule, window):
    assert list(rule.occurrences(*window)) == slowly(rule, *window)


@settings(deadline=None)
@given(rules.filter(lambda rule: rule.is_quick), st.dates(*SLOW_DAYS))
def test_a_day_judged_by_itself_is_judged_as_among_others(rule, day):
    assert rule.begins_on(day) == (day in rule.days(day - A_DAY, day + A_DAY))


@settings(deadline=None)
@given(rules, windows)
def test_every_occurrence_begins_when_the_clock_on_the_wall_says_so(rule, window):
    for begins, ends in rule.occurrences(*window):
        local = begins.astimezone(LOCAL)
        assert local.time() == rule.local_start
        assert begins.utcoffset() == timedelta()
        assert ends - begins == rule.length


def test_half_past_five_in_viet_nam_is_half_past_ten_the_day_before_in_utc():
    begins, _ = next(a_rule().occurrences(*day_bounds(TODAY)))
    assert begins == datetime(2026, 11, 20, 22, 30, tzinfo=UTC)


def test_an_occurrence_that_began_before_midnight_still_sounds_after_it():
    late = a_rule(local_start=time(23, 50), length=timedelta(minutes=30))
    day_after = day_bounds(TODAY + A_DAY)[0]
    begun, *_ = late.occurrences(day_after, day_after + timedelta(minutes=1))
    assert local_day(begun[0]) == TODAY


def test_what_ends_as_a_stretch_begins_or_begins_as_it_ends_does_not_touch_it():
    begins, ends = next(a_rule().occurrences(*day_bounds(TODAY)))
    once = a_rule(recurrence=Recurrence.ONCE)
    assert not list(once.occurrences(ends, ends + A_DAY))
    assert not list(once.occurrences(begins - A_DAY, begins))


def test_every_day_goes_on_past_the_end_of_a_month_and_of_a_year():
    end_of_year = days_of(
        a_rule(first_day=date(2026, 12, 30)), date(2026, 12, 29), date(2027, 1, 3)
    )
    assert end_of_year == [
        date(2026, 12, 30),
        date(2026, 12, 31),
        date(2027, 1, 1),
        date(2027, 1, 2),
    ]


def test_the_29th_of_february_is_a_day_like_any_other():
    leap = days_of(a_rule(first_day=date(2028, 2, 28)), date(2028, 2, 28), date(2028, 3, 2))
    assert leap == [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
    common = days_of(a_rule(first_day=date(2027, 2, 28)), date(2027, 2, 28), date(2027, 3, 2))
    assert common == [date(2027, 2, 28), date(2027, 3, 1)]


def test_sunday_is_the_last_bit_and_the_seventh_day():
    sundays = a_rule(recurrence=Recurrence.WEEKLY, weekdays=SUNDAY_ONLY)
    found = days_of(sundays, TODAY, TODAY + 15 * A_DAY)
    assert found == [date(2026, 11, 22), date(2026, 11, 29)]


def test_the_local_day_changes_at_five_in_the_afternoon_utc():
    assert local_day(datetime(2026, 11, 20, 16, 59, 59, tzinfo=UTC)) == date(2026, 11, 20)
    assert local_day(datetime(2026, 11, 20, 17, 0, tzinfo=UTC)) == TODAY
    assert day_bounds(TODAY)[0] == datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
