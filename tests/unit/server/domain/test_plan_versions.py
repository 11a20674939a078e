from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.plan_versions import (
    LATE,
    TakeOver,
    Version,
    behind_since,
    holds_newest,
    is_late,
    take_over,
)
from tests.factories.claims import NOON, at

S = timedelta(seconds=1)


def test_a_cluster_is_behind_since_the_first_version_that_it_lacks():
    published = [Version("tinh", 1, at(0)), Version("tinh", 2, at(5)), Version("tinh", 3, at(9))]
    assert behind_since({"tinh": 1}, published) == at(5)
    assert behind_since({"tinh": 3}, published) is None
    assert behind_since({}, published) == at(0)


@given(
    st.lists(st.tuples(st.sampled_from(["tinh", "xa"]), st.integers(1, 9)), unique=True),
    st.dictionaries(st.sampled_from(["tinh", "xa"]), st.integers(0, 9)),
)
def test_who_holds_the_newest_of_all_is_behind_since_never(numbers, held):
    published = [Version(unit, number, at(number)) for unit, number in numbers]
    newest = {unit: max(n for u, n in numbers if u == unit) for unit, _ in numbers}
    lacks = behind_since(held, published) is not None
    assert holds_newest(held, newest, ("tinh", "xa")) is not lacks


@pytest.mark.parametrize(
    ("held", "liveness", "now", "state"),
    [
        (7, "lost", at(5), TakeOver.TAKEN),
        (6, "here", at(-0.1), TakeOver.ON_ITS_WAY),
        (6, "late", at(-0.1), TakeOver.ON_ITS_WAY),
        (6, "lost", at(-0.1), TakeOver.UNREACHABLE),
        (6, "none", at(-0.1), TakeOver.UNREACHABLE),
        (6, "here", NOON, TakeOver.TOO_LATE),
    ],
)
def test_an_edit_is_taken_over_on_its_way_out_of_reach_or_too_late(held, liveness, now, state):
    assert take_over(held, 7, liveness, now=now, begins=NOON) is state


def test_what_sounds_or_begins_within_a_minute_is_late():
    stretch = (NOON, at(10))
    assert not is_late(stretch, NOON - LATE)
    assert is_late(stretch, NOON - LATE + S)
    assert is_late(stretch, at(10) - S)
    assert not is_late(stretch, at(10))
    assert not is_late(None, NOON)
