"""When a claim is heard at a cluster that takes turns with those that it overlaps."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import BulletinClass, Turns
from protocol.plan import Place, claims_at
from protocol.turns import in_its_turn
from tests.factories.claims import CLUSTER, COMMUNE, HERE, NOON, a_claim, an_announcement, at
from tests.factories.messages import a_plan

THREE = Turns(order=(0, 2, 5), lasts_s=600, every_s=602)
S = timedelta(seconds=1)
turns = st.builds(
    lambda order, lasts_s, pause_s: Turns(order=order, lasts_s=lasts_s, every_s=lasts_s + pause_s),
    st.lists(st.integers(0, 20), min_size=2, max_size=6, unique=True).map(tuple),
    st.integers(1, 1200),
    st.integers(0, 30),
)


def test_each_turn_begins_when_those_before_it_are_over():
    claim = a_claim(end=at(40), turns=THREE)
    heard = [in_its_turn(claim, turn) for turn in THREE.order]
    assert [one.start - NOON for one in heard] == [0 * S, 602 * S, 1204 * S]
    assert all(one.end - one.start == 600 * S for one in heard)
    assert all(one.claim_id == claim.claim_id for one in heard)


def test_who_has_a_turn_that_the_claim_does_not_know_goes_with_the_first():
    claim = a_claim(end=at(40), turns=THREE)
    assert in_its_turn(claim, 7) == in_its_turn(claim, 0)


def test_an_emergency_never_waits_whatever_is_said_of_turns():
    claim = an_announcement(turns=THREE, bulletin_class=BulletinClass.EMERGENCY)
    assert all(in_its_turn(claim, turn) == claim for turn in range(7))


@given(turns, st.integers(0, 20), st.integers(1, 60))
def test_no_turn_reaches_beyond_its_claim_and_what_was_turned_is_turned_once(told, turn, minutes):
    claim = a_claim(end=at(minutes), turns=told)
    heard = in_its_turn(claim, turn)
    assert heard.start >= claim.start
    assert heard.end <= claim.end
    assert in_its_turn(heard, turn) == heard


@given(turns, st.integers(0, 20), st.integers(0, 20))
def test_two_that_have_not_the_same_turn_never_sound_together(told, one, other):
    claim = a_claim(end=at(600), turns=told)
    first, second = sorted(
        (in_its_turn(claim, turn) for turn in (one, other)), key=lambda heard: heard.start
    )
    place = {turn: number for number, turn in enumerate(told.order)}
    alike = place.get(one, 0) == place.get(other, 0)
    assert (first.start == second.start) is alike
    assert alike or first.end <= second.start


def test_a_cluster_hears_each_plan_in_the_turn_that_this_plan_gives_it():
    claim = a_claim(end=at(40), turns=THREE)
    plain = a_claim(claim_id="tin-2", end=at(40))
    plan = a_plan(claims=(claim, plain), turns={CLUSTER: 2})
    assert claims_at([plan], HERE) == (in_its_turn(claim, 2), plain)
    beside = Place("cum-khac", (COMMUNE,))
    assert claims_at([plan], beside) == (in_its_turn(claim, 0), plain)


@pytest.mark.parametrize(("order", "every_s"), [((0, 0), 600), ((0, 1), 599)])
def test_turns_that_would_let_two_sound_together_are_no_turns(order, every_s):
    with pytest.raises(ValueError, match="turns follow each other"):
        Turns(order=order, lasts_s=600, every_s=every_s)
