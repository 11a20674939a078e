"""A node sounds a claim in its own turn, and in no other, whatever becomes of the turns."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from edge.schedule import Accepted, Holdings, receive
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
from tests.factories.messages import ROOT_KEY, a_config, a_plan, a_token
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


def published(held: Holdings, turn: int, issued_at: datetime, *claims: Claim) -> Holdings:
    """Give what a node holds that has taken in a plan of its commune."""
    plan = a_plan(version=int(issued_at.timestamp()), claims=claims, turns={CLUSTER: turn})
    token = a_token(plan, issued_at=issued_at)
    verdict = receive(held, f"loa/1/unit/{COMMUNE}/plan", token, max(issued_at, NOON))
    assert isinstance(verdict, Accepted)
    return verdict.holdings


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


@pytest.mark.parametrize(
    "after",
    [
        CLAIM,
        structs.replace(CLAIM, turns=None),
        structs.replace(CLAIM, turns=Turns(order=(0, 1, 2), lasts_s=200, every_s=202)),
    ],
    ids=["others", "none", "shorter"],
)
@pytest.mark.parametrize("turn", THREE.order)
@pytest.mark.parametrize("new", THREE.order)
def test_what_has_begun_keeps_its_turn_whatever_plans_say_later(turn, new, after):
    held = Holdings(NODE, ROOT_KEY.private.public_key(), config=a_config())
    node = a_node(CLAIM)
    held = published(held, turn, at(-5), CLAIM)
    node.take(held.programme())
    for minute in (3, 12, 25):
        node.run_to(at(minute))
        held = published(held, new, at(minute), after)
        node.take(held.programme())
    node.run_to(at(60))
    begins = NOON + turn * 602 * S
    assert node.heard == [(CLAIM.claim_id, begins, begins + 600 * S)]
    assert node.record(CLAIM.claim_id).outcome is Outcome.PLAYED


def test_what_has_not_begun_and_what_ends_sooner_go_by_the_newest_plan():
    held = Holdings(NODE, ROOT_KEY.private.public_key(), config=a_config())
    held = published(held, 2, at(-5), CLAIM)
    before = published(held, 0, at(-1), CLAIM)
    assert [claim.start for claim in before.programme().claims.values()] == [NOON]
    sooner = structs.replace(CLAIM, end=at(15))
    (cut,) = published(held, 1, at(3), sooner).programme().claims.values()
    assert cut.end == at(15)
    longer = structs.replace(CLAIM, turns=None, end=at(50))
    plain = published(held, 0, at(-4), structs.replace(CLAIM, turns=None))
    (lasts,) = published(plain, 0, at(3), longer).programme().claims.values()
    assert lasts.end == at(50)


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
