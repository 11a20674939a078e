"""Ways out of a clash: what is left of a slot's hours, and where else it may begin."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.domain.offers import (
    LEAST_LEFT_S,
    MOST_DAYS,
    earlier_starts,
    later_starts,
    leaves_few,
    on_weekdays,
    trimmed,
)
from server.domain.week import DAY_S, joined

HOUR = 3600
TODAY = date(2026, 11, 22)

edges = st.integers(0, 2 * DAY_S)
stretches = st.lists(st.tuples(edges, edges), max_size=8).map(joined)
starts = st.integers(0, DAY_S - 1)
lengths = st.one_of(st.integers(1, DAY_S), st.floats(1, 7200))


def is_free(begins: float, ends: float, taken) -> bool:
    return not any(one < ends and begins < other for one, other in taken)


@given(starts, lengths, stretches)
def test_every_other_start_is_free_on_the_same_day_and_nearer_ones_come_first(start, length, taken):
    later = list(later_starts(start, length, taken))
    earlier = list(earlier_starts(start, length, taken))
    assert later == sorted(later)
    assert earlier == sorted(earlier, reverse=True)
    assert all(start < at < DAY_S and is_free(at, at + length, taken) for at in later)
    assert all(0 <= at < start and is_free(at, at + length, taken) for at in earlier)


@given(starts, st.integers(1, DAY_S), stretches)
def test_no_gap_before_the_first_later_start_is_long_enough(start, length, taken):
    if is_free(start, start + length, taken):
        return
    first = next(later_starts(start, length, taken), DAY_S)
    ends = [end for _, end in taken if start < end < first]
    whole_minute = 60
    assert all(
        first - at < whole_minute or not is_free(at, at + length, taken) or at + length > 2 * DAY_S
        for at in ends
    )


@given(starts, lengths, stretches)
def test_what_is_left_of_a_slot_is_free_inside_it_and_at_least_half_of_it(start, length, taken):
    left = trimmed(start, length, taken)
    if left is None:
        return
    begins, lasts = left
    assert start <= begins < DAY_S
    assert begins + lasts <= start + length
    assert max(LEAST_LEFT_S, length / 2) <= lasts < length
    assert is_free(begins, begins + lasts, taken)


def test_a_slot_is_shortened_at_the_end_where_less_is_lost():
    assert trimmed(HOUR, HOUR, ((HOUR, HOUR + 60),)) == (HOUR + 60, HOUR - 60)
    assert trimmed(HOUR, HOUR, ((2 * HOUR - 60, 2 * HOUR),)) == (HOUR, HOUR - 60)
    assert trimmed(HOUR, HOUR, ((HOUR, 2 * HOUR - 60),)) is None
    assert trimmed(HOUR, 80, ((HOUR, HOUR + 30),)) is None
    assert trimmed(DAY_S - 600, 3600, ((DAY_S - 600, DAY_S + 60),)) is None


def test_sunday_night_reaches_into_monday():
    sunday = 6
    week = ((0, HOUR), (sunday * DAY_S + 23 * HOUR, 7 * DAY_S))
    assert on_weekdays(week, {sunday}) == ((23 * HOUR, DAY_S + HOUR),)
    assert on_weekdays(week, {0}) == ((0, HOUR),)
    assert on_weekdays(week, {5}) == ((DAY_S + 23 * HOUR, 2 * DAY_S),)


def test_days_are_counted_for_two_years():
    days = [TODAY + timedelta(days=ahead) for ahead in range(MOST_DAYS)]
    assert leaves_few([*days, TODAY + timedelta(days=800)], TODAY)
    assert not leaves_few([*days, TODAY + timedelta(days=700)], TODAY)
