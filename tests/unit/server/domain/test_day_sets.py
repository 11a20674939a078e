"""Days as bits: the same days as the rules give one by one."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.day_sets import SPAN_YEARS, Days, bit, days_of, span_of
from server.domain.recurrence import Recurrence
from tests.factories.slots import TODAY, a_rule, rules

numbers = st.lists(st.integers(-31, 31).filter(bool), min_size=1, max_size=3)


def listed(name: str, values) -> st.SearchStrategy[str]:
    return values.map(lambda some: f";{name}={','.join(map(str, some))}")


maybe = st.just("")
weekdays = st.lists(
    st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=3
)
ranked = st.lists(
    st.builds("{}{}".format, st.sampled_from([1, 2, 5, -1, -3]), st.sampled_from(["MO", "SU"])),
    min_size=1,
    max_size=2,
)
months = listed("BYMONTH", st.lists(st.integers(1, 12), min_size=1, max_size=3))
ends = st.sampled_from(["", "", ";COUNT=5", ";UNTIL=20290228"])
steps = st.integers(1, 5).map(";INTERVAL={}".format)
more = st.sampled_from(["", "", "\nEXDATE:20261225,20280229", "\nRDATE:20270203,20300101"])
positions = st.sampled_from(["", "", "", ";BYSETPOS=1", ";BYSETPOS=-1,2"])

texts = st.one_of(
    st.builds(
        "FREQ=DAILY{}{}{}{}{}{}".format,
        steps,
        ends,
        maybe | months,
        maybe | listed("BYMONTHDAY", numbers),
        maybe | listed("BYDAY", weekdays),
        more,
    ),
    st.builds(
        "FREQ=WEEKLY{}{}{}{};WKST={}{}".format,
        steps,
        ends,
        maybe | months,
        maybe | listed("BYDAY", weekdays),
        st.sampled_from(["MO", "SU", "WE"]),
        more,
    ),
    st.builds(
        "FREQ={}{}{}{}{}{}{}".format,
        st.sampled_from(["MONTHLY", "YEARLY"]),
        steps,
        ends,
        maybe | months,
        maybe | listed("BYMONTHDAY", numbers),
        maybe | listed("BYDAY", weekdays) | listed("BYDAY", ranked),
        more,
    ),
    st.builds("FREQ=MONTHLY{};BYDAY=MO,FR{}{}".format, steps, positions, more),
    st.sampled_from(["FREQ=YEARLY;BYWEEKNO=1,53", "FREQ=YEARLY;BYYEARDAY=1,-1,366"]),
)


def one_by_one(rule, year: int) -> list[date]:
    return list(rule.days(date(year, 1, 1), date(year + SPAN_YEARS, 1, 1) - timedelta(days=1)))


@settings(deadline=None)
@given(rules, st.sampled_from([2026, 2028]))
def test_the_bits_of_a_rule_are_the_days_on_which_it_begins(rule, year):
    assert list(Days(year, days_of(rule, year))) == one_by_one(rule, year)


@settings(deadline=None, max_examples=200)
@given(texts, st.integers(-800, 800), st.sampled_from([2025, 2028]))
def test_the_parts_of_an_rfc_5545_rule_laid_over_each_other_give_its_days(text, first, year):
    rule = a_rule(
        recurrence=Recurrence.RRULE, pattern=text, first_day=TODAY + timedelta(days=first)
    )
    assert list(Days(year, days_of(rule, year))) == one_by_one(rule, year)


@pytest.mark.parametrize("pattern", ["BYMONTHDAY=31", "BYMONTHDAY=-1", "BYDAY=5SU", "BYDAY=-1MO"])
def test_month_ends_are_where_the_months_end(pattern):
    rule = a_rule(recurrence=Recurrence.MONTHLY, pattern=pattern)
    assert list(Days(2026, days_of(rule, 2026))) == one_by_one(rule, 2026)


def test_a_span_holds_the_eve_of_its_first_day_and_ten_years_after():
    new_year = date(2027, 1, 1)
    year = span_of(new_year)
    assert bit(year, new_year - timedelta(days=1))
    assert bit(year, replace_year(new_year, 2037))
    assert not bit(year, date(year + SPAN_YEARS, 1, 1))


def replace_year(day: date, year: int) -> date:
    return day.replace(year=year)


def test_days_can_be_counted_and_told_in_order():
    rule = replace(a_rule(), last_day=TODAY + timedelta(days=2))
    days = Days(2026, days_of(rule, 2026))
    assert len(days) == 3
    assert list(days) == [TODAY + timedelta(days=ahead) for ahead in range(3)]
