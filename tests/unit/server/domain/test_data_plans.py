"""Amounts of data, the months of plans, and whether they last."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.data_plans import (
    FIRST_DAYS,
    MOST_PLAN_MB,
    DataPlan,
    Standing,
    counted,
    data_use,
    month_of_plan,
    read_volume,
    volume_text,
)

MID_MONTH = datetime(2026, 11, 15, 17, 0, tzinfo=UTC)
"""Midnight before 16 November on the wall."""

first_days = st.sampled_from(FIRST_DAYS)
days = st.dates(date(2020, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("text", "amount_mb"),
    [
        ("4 GB", 4000),
        ("4gb", 4000),
        ("1,5 GB", 1500),
        ("1.5 G", 1500),
        ("0,25 GB", 250),
        ("500 MB", 500),
        ("1.500 MB", 1500),
        ("1,500,000 mb", 1_500_000),
        ("  60   GB ", 60_000),
    ],
)
def test_an_amount_is_read_as_people_write_it(text, amount_mb):
    assert read_volume(text) == amount_mb


@pytest.mark.parametrize("text", ["", "4", "500", "1.500 GB", "1,5 MB", "-4 GB", "4 TB", "4 GB x"])
def test_what_could_mean_another_amount_or_none_is_not_guessed_at(text):
    assert read_volume(text) is None


@given(st.integers(1, MOST_PLAN_MB))
def test_an_amount_that_is_shown_can_be_typed_again(amount_mb):
    assert read_volume(volume_text(amount_mb)) == amount_mb


@given(first_days, days)
def test_each_day_lies_in_one_month_of_a_plan_and_the_months_follow_each_other(first_day, day):
    first, after = month_of_plan(first_day, day)
    assert first <= day < after
    assert timedelta(days=28) <= after - first <= timedelta(days=31)
    assert month_of_plan(first_day, after)[0] == after
    assert month_of_plan(first_day, after - timedelta(days=1)) == (first, after)
    assert first.day == first_day or (first + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("used_mb", "percent", "standing"),
    [
        (0.0, 0, Standing.FINE),
        (799.9, 79, Standing.FINE),
        (800.0, 80, Standing.NEAR),
        (999.9, 99, Standing.NEAR),
        (1000.0, 100, Standing.OVER),
        (2500.0, 250, Standing.OVER),
    ],
)
def test_at_four_fifths_a_plan_is_nearly_used_and_only_whole_it_is_used_up(
    used_mb, percent, standing
):
    use = data_use(DataPlan(1000), used_mb, date(2026, 11, 1), MID_MONTH)
    assert (use.percent, use.standing) == (percent, standing)
    assert use.is_short is (standing is not Standing.FINE)


@pytest.mark.parametrize(
    ("counted_from", "forecast_mb"),
    [
        (date(2026, 11, 1), 600),  # 15 days have used 300, 15 are left
        (date(2026, 11, 11), 1200),  # 300 in 5 days
        (date(2026, 11, 13), 1800),  # 300 in 3 days
        (date(2026, 11, 14), None),  # too early to say
        (None, None),
    ],
)
def test_it_goes_on_as_it_went_while_it_was_counted(counted_from, forecast_mb):
    assert data_use(DataPlan(1000), 300.0, counted_from, MID_MONTH).forecast_mb == forecast_mb


@given(st.lists(st.floats(0, 1e6), max_size=20))
def test_a_counter_that_only_grows_is_counted_whole_and_no_other_takes_anything_away(steps):
    total_mb, before, found = 0.0, 0.0, 0.0
    for step in steps:
        total_mb += step
        found += counted(total_mb, before)
        before = total_mb
    assert found == pytest.approx(total_mb)
    for one, other in pairwise(steps):
        assert counted(other, one) >= 0


def test_a_first_reading_and_a_counter_that_has_fallen_count_nothing():
    assert counted(812.5, None) == counted(None, 812.5) == counted(3.0, 812.5) == 0.0
    assert counted(4.0, 3.0) == 1.0


@pytest.mark.parametrize(
    ("plan", "is_sensible"),
    [
        (DataPlan(None), True),
        (DataPlan(1, 31), True),
        (DataPlan(0), False),
        (DataPlan(MOST_PLAN_MB + 1), False),
        (DataPlan(4000, 0), False),
        (DataPlan(4000, 32), False),
    ],
)
def test_plans_are_of_some_data_from_some_day(plan, is_sensible):
    assert plan.is_sensible is is_sensible
