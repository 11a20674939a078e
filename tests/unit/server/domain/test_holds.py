"""The time that slots hold overlaps just where they clash."""

from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.clashes import clashes
from server.domain.holds import FORESEEN, holds, ranges
from server.domain.recurrence import local_day
from tests.factories.clash_oracle import a_case


def overlap(one, other) -> bool:
    return one[0] < (other[1] or 10**9) and other[0] < (one[1] or 10**9)


def meet(one, other) -> bool:
    return any(
        overlap(mine.stretch, theirs.stretch)
        and any(overlap(week, another) for week in mine.weeks for another in theirs.weeks)
        for mine in one
        for theirs in other
    )


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**32).map(Random))
def test_holds_meet_where_occurrences_that_are_still_to_begin_clash_and_nowhere_else(random):
    case = a_case(random)
    new, other = case.new, case.other
    if not (new.rule.length and other.rule.length):
        return
    met = meet(
        holds(new.bulletin_class, new.rule, case.now),
        holds(other.bulletin_class, other.rule, case.now),
    )
    if new.clusters & other.clusters and not (new.overrides or other.overrides):
        found = clashes(new, [other], case.now)
        if met:
            assert found
        today = local_day(case.now)
        foreseen = today + FORESEEN - timedelta(days=2)
        if any(today + timedelta(days=2) < day < foreseen for one in found for day in one.days):
            assert met


def test_neighbouring_numbers_are_one_range():
    assert ranges([3, 1, 2, 2, 7]) == ((1, 4), (7, 8))
    assert ranges([]) == ()
