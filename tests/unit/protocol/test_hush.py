"""A unit's word of silence: the newest counts, however words arrive, and only two end it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import Refusal, RefusedError
from protocol.messages import (
    BulletinClass,
    Hush,
    HushState,
    LiftHush,
    Mode,
    Rules,
)
from protocol.plan import timeline
from protocol.policy import EVER, Policy, Silence, merge
from protocol.signing import audience_unit, check_scope, verify
from protocol.why import Why, explain
from tests.factories.claims import (
    COMMUNE,
    HERE,
    NOON,
    PROVINCE,
    a_claim,
    an_announcement,
    at,
)
from tests.factories.messages import (
    COMMUNE_KEY,
    PROVINCE_KEY,
    a_certified,
    a_hush,
    a_hush_state,
    a_lift,
    a_lifted_state,
    a_plan,
    a_token,
    a_trust,
    audiences,
)

FIRST, LIFTED = a_hush_state(), a_lifted_state()
AGAIN = a_hush_state(hush_id="im-2", number=3, since=at(8))
REHEARSED = a_hush_state(hush_id="tap-1", number=9, mode=Mode.DRILL)
REHEARSAL_OVER = a_lifted_state(hush_id="tap-1", number=10, mode=Mode.DRILL)
WORDS = (FIRST, LIFTED, AGAIN, REHEARSED, REHEARSAL_OVER)


def policy_of(planned=(), ordered=(), unit=COMMUNE):
    plans = [a_plan(unit=unit, rules=Rules(hushes=planned))] if planned else []
    return merge(plans, COMMUNE, [(unit, state) for state in ordered])


def is_silent(policy, now, claim=None):
    return not policy.permits(claim or a_claim(), now)


def test_a_hush_silences_everything_from_its_beginning_until_its_lift():
    lasting = policy_of(ordered=[FIRST])
    assert not is_silent(lasting, at(-0.01))
    assert is_silent(lasting, NOON)
    assert is_silent(lasting, at(10**6), an_announcement())
    lifted = policy_of(ordered=[LIFTED])
    assert is_silent(lifted, at(4.99))
    assert not is_silent(lifted, at(5))


def test_a_lift_that_came_before_its_hush_ends_it_all_the_same():
    assert not is_silent(policy_of(ordered=[LIFTED, FIRST]), at(6))
    assert not is_silent(policy_of(planned=[LIFTED], ordered=[FIRST]), at(6))


def test_a_plan_older_than_the_order_neither_ends_nor_brings_back_a_silence():
    assert is_silent(policy_of(planned=(), ordered=[FIRST]), at(1))
    assert is_silent(policy_of(planned=[LIFTED], ordered=[AGAIN]), at(9))
    assert not is_silent(policy_of(planned=[FIRST], ordered=[LIFTED]), at(6))


def test_an_old_lift_does_not_end_a_new_hush():
    assert is_silent(policy_of(ordered=[AGAIN, LIFTED, FIRST]), at(9))


@given(st.permutations(WORDS), st.integers(0, 5), st.integers(-2, 12).map(at))
def test_orders_and_plan_say_the_same_in_whatever_order_and_number_they_come(words, cut, now):
    told = policy_of(planned=words[:cut], ordered=[*words[cut:], *words[:2]])
    assert told.silences == policy_of(ordered=[AGAIN]).silences
    assert is_silent(told, now) is (now >= at(8))


def test_each_unit_is_silent_by_its_own_word():
    told = [(PROVINCE, FIRST), (COMMUNE, a_lifted_state(number=7))]
    assert is_silent(merge((), COMMUNE, told), at(6))


def test_a_rehearsed_hush_silences_nothing_and_lifts_no_real_one():
    assert policy_of(ordered=[REHEARSED]).silences == ()
    assert is_silent(policy_of(ordered=[FIRST, REHEARSED, REHEARSAL_OVER]), at(6))


def test_a_hush_that_spares_emergencies_lets_pass_real_ones_alone():
    policy = policy_of(ordered=[a_hush_state(spares_emergencies=True)])
    assert not is_silent(policy, at(1), an_announcement())
    assert is_silent(policy, at(1), an_announcement(mode=Mode.DRILL))
    assert is_silent(policy, at(1), an_announcement(bulletin_class=BulletinClass.PRIORITY))


def test_of_two_hushes_the_stricter_one_holds():
    spares = Silence("im-1", PROVINCE, NOON, EVER, spares_emergencies=True)
    strict = Silence("im-2", COMMUNE, NOON, at(5))
    policy = Policy(silences=(spares, strict))
    assert policy.hushed_by(an_announcement(), at(1)) is strict
    assert policy.hushed_by(an_announcement(), at(5)) is None


def test_the_timeline_is_silent_meanwhile_and_names_the_hush_as_the_reason():
    policy = policy_of(ordered=[LIFTED])
    spans = timeline([a_claim(start=at(-2))], policy, at(-2), at(8))
    heard = [(span.start, span.end, span.claim is not None) for span in spans]
    assert heard == [(at(-2), NOON, True), (NOON, at(5), False), (at(5), at(8), True)]
    verdict = explain([a_claim(), an_announcement()], at(1), policy)
    assert verdict.heard is None
    assert {loser.why for loser in verdict.losers} == {Why.HUSHED}


def test_beside_a_spared_emergency_the_others_lose_by_the_hush():
    policy = policy_of(ordered=[a_hush_state(spares_emergencies=True)])
    verdict = explain([a_claim(), an_announcement()], at(1), policy)
    assert verdict.heard == an_announcement()
    assert [loser.why for loser in verdict.losers] == [Why.HUSHED]


@pytest.mark.parametrize(
    "lift",
    [
        {"until": at(5)},
        {"until": at(5), "lifted_by": ("quan-tri",)},
        {"until": at(5), "lifted_by": ("quan-tri", "quan-tri")},
        {"lifted_by": ("quan-tri", "phat-thanh")},
    ],
)
def test_a_lift_that_does_not_name_two_different_people_cannot_be_read(lift):
    with pytest.raises(ValueError, match="a hush is lifted by"):
        HushState(hush_id="im-1", number=2, since=NOON, **lift)
    written = {"hush_id": "im-1", "number": 2, "since": NOON, **lift}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(written), type=HushState)


def test_a_hush_is_no_lift_and_a_lift_no_hush():
    with pytest.raises(ValueError, match="no hush"):
        Hush(unit=COMMUNE, state=LIFTED)
    with pytest.raises(ValueError, match="says when"):
        LiftHush(unit=COMMUNE, state=FIRST)


def judged(message, key=COMMUNE_KEY, believed=None, chain=HERE.chain):
    raw = a_token(message, key, audience=(audience_unit(COMMUNE),))
    verified = verify(raw, believed or a_trust(), audiences=audiences(), now=NOON)
    check_scope(verified, chain)


def refusal(message, **facts: object):
    with pytest.raises(RefusedError) as caught:
        judged(message, **facts)
    return caught.value.refusal


@pytest.mark.parametrize("message", [a_hush(), a_lift()])
def test_a_unit_hushes_and_lifts_in_its_own_name_and_its_own_subtree(message):
    judged(message)
    assert refusal(message, key=PROVINCE_KEY) is Refusal.OUT_OF_SCOPE
    assert refusal(message, chain=(PROVINCE, "xa-2")) is Refusal.OUT_OF_SCOPE


def test_who_may_not_order_an_emergency_may_not_silence_one():
    ordinary = a_trust(a_certified(COMMUNE_KEY, classes=(BulletinClass.ORDINARY,)))
    assert refusal(a_hush(), believed=ordinary) is Refusal.CLASS_NOT_ALLOWED
    plan = a_plan(rules=Rules(hushes=(FIRST,)))
    assert refusal(plan, believed=ordinary) is Refusal.CLASS_NOT_ALLOWED
    for harmless in (a_hush(spares_emergencies=True), a_hush(mode=Mode.DRILL), a_lift()):
        judged(harmless, believed=ordinary)
