"""A node sounds a claim in its own turn, and in no other, whatever becomes of the turns."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from edge.schedule import Holdings
from protocol.messages import BulletinClass, Claim, Outcome, Turns, UnitPlace
from tests.factories.claims import (
    CLUSTER,
    COMMUNE,
    NODE,
    NOON,
    a_claim,
    a_content,
    an_announcement,
    an_asset,
    at,
)
from tests.factories.messages import ROOT_KEY, a_config, a_plan
from tests.factories.playouts import World

THREE = Turns(order=(0, 1, 2), lasts_s=600, every_s=602)
CLAIM = a_claim(end=at(40), turns=THREE)
S = timedelta(seconds=1)
SIREN = a_content(items=(an_asset("coi", duration_s=170.0),))


def told(turn: int, *claims: Claim, version: int = 1):
    """Give what a node goes by whose commune has published these claims."""
    chain = (UnitPlace(unit=COMMUNE, level=1),)
    held = Holdings(
        NODE,
        ROOT_KEY.private.public_key(),
        config=a_config(chain=chain),
        plans={COMMUNE: a_plan(version=version, claims=claims, turns={CLUSTER: turn})},
    )
    return held.programme()


def a_node(*claims: Claim) -> World:
    node = World()
    node.have(*claims)
    return node


@pytest.mark.parametrize("turn", THREE.order)
def test_it_sounds_whole_in_its_turn_and_its_record_says_played(turn):
    node = a_node(CLAIM)
    node.take(told(turn, CLAIM))
    node.run_to(at(60))
    begins = NOON + turn * 602 * S
    assert node.heard == [(CLAIM.claim_id, begins, begins + 600 * S)]
    record = node.record(CLAIM.claim_id)
    assert (record.outcome, record.reason) == (Outcome.PLAYED, "")


def test_an_emergency_sounds_at_once_in_every_turn_and_cuts_whose_turn_it_is():
    urgent = an_announcement(start=at(11), end=at(14), turns=THREE, content=SIREN)
    assert urgent.bulletin_class is BulletinClass.EMERGENCY
    for turn in THREE.order:
        node = a_node(CLAIM, urgent)
        node.take(told(turn, CLAIM, urgent))
        node.run_to(at(60))
        assert node.at(at(11)) == node.at(at(13)) == urgent.claim_id


def test_what_was_cut_goes_on_no_longer_than_its_turn():
    resumes = structs.replace(CLAIM, when_cut="resume")
    urgent = an_announcement(start=at(2), end=at(5), content=SIREN)
    node = a_node(resumes, urgent)
    node.take(told(0, resumes, urgent))
    node.run_to(at(60))
    assert max(end for claim, _, end in node.heard if claim == resumes.claim_id) == at(10)
    assert node.record(resumes.claim_id).outcome is Outcome.CUT


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(THREE.order)), min_size=1, max_size=4)
)
def test_however_turns_change_it_has_one_record_and_sounds_only_in_a_turn_it_had(changes):
    node = a_node(CLAIM)
    had: list[tuple[int, object, object]] = []
    now = at(-5)
    turn = 0
    for version, (minutes, new) in enumerate(sorted(changes), start=1):
        node.take(told(turn, CLAIM, version=version))
        until = max(now, at(minutes))
        had.append((turn, now, until))
        node.run_to(until)
        now, turn = until, new
    node.take(told(turn, CLAIM, version=9))
    had.append((turn, now, at(60)))
    node.run_to(at(60))
    assert len(node.records()) == 1
    for _, start, end in node.heard:
        for of, since, until in had:
            begins = NOON + of * 602 * S
            left, right = max(start, since), min(end, until)
            assert left >= right or (begins <= left and right <= begins + 600 * S)
