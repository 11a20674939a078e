"""The lunar calendar of Viet Nam, held against the sky as another library computes it."""

from bisect import bisect_right
from datetime import date, timedelta

import pytest

from server.domain.errors import PatternError
from server.domain.lunar import Leap, LunarDay, all_months, lunar_day, lunar_rule
from server.domain.public_holidays import HolidayChoice, is_holiday
from tests.factories.skies import months_by_the_sky

A_DAY = timedelta(days=1)

TOO_CLOSE = {
    # New moons of 23:59:32, 23:58:28 and 23:59:34 in Viet Nam: which day they belong to hangs on
    # how the Earth turns by then (ephem reckons with 159 s and 171 s for the last two).
    date(1944, 6, 20),
    date(2072, 12, 9),
    date(2077, 11, 15),
}


@pytest.mark.slow
def test_every_day_of_two_centuries_is_the_day_that_the_sky_says():
    sky = months_by_the_sky()
    begins = sorted(sky)
    day, differing = all_months()[0].first_day, set()
    last = all_months()[-1].first_day + (all_months()[-1].length_days - 1) * A_DAY
    assert day < date(1900, 2, 1)
    assert last > date(2100, 11, 30)
    while day <= last:
        begin = begins[bisect_right(begins, day) - 1]
        if lunar_day(day) != LunarDay((day - begin).days + 1, *sky[begin]):
            differing.add(begin)
        day += A_DAY
    assert differing == TOO_CLOSE


@pytest.mark.parametrize(
    ("year", "tet"),
    [
        (1985, date(1985, 1, 21)),  # in China a month later
        (2007, date(2007, 2, 17)),  # in China a day later
        (2026, date(2026, 2, 17)),
        (2027, date(2027, 2, 6)),
        (2030, date(2030, 2, 2)),  # in China a day later
    ],
)
def test_tet_is_that_of_viet_nam_and_not_of_china(year: int, tet: date):
    new_year = lunar_rule("DAY=1;MONTH=1")
    assert list(new_year.days(date(year, 1, 1), date(year, 12, 31))) == [tet]
    assert is_holiday(tet)


def test_the_first_and_the_fifteenth_of_each_month_are_two_weeks_apart():
    firsts = list(lunar_rule("DAY=1").days(date(2026, 1, 1), date(2026, 12, 31)))
    fulls = list(lunar_rule("DAY=15").days(date(2026, 1, 1), date(2026, 12, 31)))
    assert len(firsts) in {12, 13}
    assert {full - 14 * A_DAY for full in fulls if full > firsts[0]} <= set(firsts)
    assert date(2026, 8, 27) in fulls  # rằm tháng bảy


def test_a_leap_month_is_left_out_or_chosen_or_taken_too():
    # 2025 has two sixth months; the second, from 25 July on, is the leap month.
    year = (date(2025, 1, 1), date(2025, 12, 31))
    regular, leap = date(2025, 6, 25), date(2025, 7, 25)
    assert list(lunar_rule("DAY=1;MONTH=6").days(*year)) == [regular]
    assert list(lunar_rule("DAY=1;MONTH=6;LEAP=leap").days(*year)) == [leap]
    assert list(lunar_rule("DAY=1;MONTH=6;LEAP=both").days(*year)) == [regular, leap]
    assert leap in lunar_rule("DAY=1").days(*year)
    assert leap not in lunar_rule("DAY=1;LEAP=regular").days(*year)


def test_a_short_month_has_no_thirtieth_but_it_has_a_last_day():
    year = (date(2026, 1, 1), date(2026, 12, 31))
    lasts, thirtieths = lunar_rule("DAY=-1").days(*year), lunar_rule("DAY=30").days(*year)
    firsts = set(lunar_rule("DAY=1").days(date(2026, 1, 1), date(2027, 1, 31)))
    lasts, thirtieths = list(lasts), list(thirtieths)
    assert all(day + A_DAY in firsts for day in lasts)
    assert set(thirtieths) < set(lasts)
    # The year before Đinh Mùi ends on the 29th.
    assert lunar_day(date(2027, 2, 5)) == LunarDay(29, 12, leap=False)


def test_days_outside_the_known_years_have_no_lunar_date_and_no_rule_comes_there():
    assert lunar_day(date(1899, 12, 31)) is None
    assert lunar_day(date(2101, 1, 1)) is None
    assert list(lunar_rule("DAY=1").days(date(2101, 1, 1), date(2199, 12, 31))) == []


@pytest.mark.parametrize(
    "text", ["", "DAY=0", "DAY=31", "DAY=-2", "DAY=1;MONTH=13", "DAY=1;LEAP=x", "day=1", "DAY=1\n"]
)
def test_other_words_are_no_lunar_rule(text: str):
    with pytest.raises(PatternError) as error:
        lunar_rule(text)
    assert error.value.finding.code == "bad-lunar-day"


def test_a_rule_of_a_month_leaves_its_leap_month_out_unless_told():
    assert lunar_rule("DAY=1;MONTH=6").leap is Leap.REGULAR
    assert lunar_rule("DAY=1").leap is Leap.BOTH


def test_public_holidays_are_those_of_the_labour_code():
    # Labour Code 2019, art. 112: 1 January, Tết, 10/3 lunar, 30 April, 1 May, 2 September.
    named = [(1, 1), (2, 17), (4, 26), (4, 30), (5, 1), (9, 2)]
    assert all(is_holiday(date(2026, month, day)) for month, day in named)
    assert not is_holiday(date(2026, 11, 21))
    assert not HolidayChoice.EXCEPT.lets(date(2026, 4, 30))
    assert HolidayChoice.ONLY.lets(date(2026, 4, 30))
