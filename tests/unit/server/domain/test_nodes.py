"""Is a node there."""

from datetime import timedelta

import pytest

from server.domain.nodes import HEARTBEAT, LATE_AFTER, LOST_AFTER, Liveness, liveness
from tests.factories.claims import NOON

A_BIT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("presence", "age", "expected"),
    [
        ("here", timedelta(), Liveness.HERE),
        ("here", LATE_AFTER - A_BIT, Liveness.HERE),
        ("here", LATE_AFTER, Liveness.LATE),
        ("here", LOST_AFTER - A_BIT, Liveness.LATE),
        ("here", LOST_AFTER, Liveness.LOST),
        ("lost", timedelta(), Liveness.LOST),
        ("leaving", timedelta(), Liveness.LEAVING),
        ("leaving", LOST_AFTER, Liveness.LEAVING),
    ],
)
def test_a_node_is_judged_by_its_will_and_by_the_age_of_its_last_word(presence, age, expected):
    assert liveness(presence, NOON - age, NOON) is expected


def test_a_node_that_never_spoke_was_never_there():
    assert liveness("here", None, NOON) is Liveness.NEVER
    assert liveness("lost", None, NOON) is Liveness.NEVER


def test_two_lost_heartbeats_make_nobody_late():
    assert liveness("here", NOON - 2 * HEARTBEAT, NOON) is Liveness.HERE


def test_a_clock_set_back_makes_nobody_late():
    assert liveness("here", NOON + LOST_AFTER, NOON) is Liveness.HERE
