"""Silence by order: at once, for all that sounds, and until a newer word of the unit."""

from datetime import timedelta

import pytest

from edge.schedule import Accepted, Holdings, Kept, held_on_disk, receive
from protocol.errors import Refusal, RefusedError
from protocol.messages import Mode, Outcome, Rules, WhenCut
from protocol.policy import EVER, Policy, Silence
from protocol.signing import audience_node, audience_unit
from tests.factories.claims import (
    COMMUNE,
    NODE,
    NOON,
    PROVINCE,
    a_claim,
    a_content,
    an_announcement,
    an_asset,
    at,
)
from tests.factories.messages import (
    COMMUNE_KEY,
    PROVINCE_KEY,
    ROOT_KEY,
    a_config,
    a_hush,
    a_hush_state,
    a_lift,
    a_lifted_state,
    a_plan,
    a_token,
)
from tests.factories.playouts import World, after_noon

ORDER_TOPIC = f"loa/1/unit/{COMMUNE}/order"
PLAN_TOPIC = f"loa/1/unit/{COMMUNE}/plan"
CONFIG_TOPIC = f"loa/1/node/{NODE}/in/config"
A_DAY = timedelta(days=1)


@pytest.fixture
def held():
    token = a_token(a_config(), PROVINCE_KEY, audience=(audience_node(NODE),))
    empty = Holdings(NODE, ROOT_KEY.private.public_key())
    return receive(empty, CONFIG_TOPIC, token, NOON).holdings


def order_token(order, message_id):
    return a_token(order, message_id=message_id, issued_at=NOON, expires=NOON + A_DAY)


HUSH, LIFT = order_token(a_hush(), "im"), order_token(a_lift(), "het-im")


def plan_token(version=1, **rules: object):
    plan = a_plan(version=version, rules=Rules(**rules))
    return a_token(plan, COMMUNE_KEY, audience=(audience_unit(COMMUNE),), expires=NOON + A_DAY)


def taken(held, *messages: object, now=NOON):
    """What is held after messages, each with its topic."""
    for topic, token in messages:
        verdict = receive(held, topic, token, now)
        assert isinstance(verdict, Accepted), verdict
        held = verdict.holdings
    return held


def is_silent(held, now):
    return not held.policy.permits(a_claim(), now)


def test_an_order_hushes_at_once_and_is_answered_under_the_name_of_the_hush(held):
    verdict = receive(held, ORDER_TOPIC, HUSH, NOON)
    assert verdict.order.claim_id == "im-1"
    assert is_silent(verdict.holdings, NOON)


def test_a_node_whose_clock_is_behind_is_silent_at_once_too(held):
    behind = NOON - timedelta(seconds=3)
    assert is_silent(taken(held, (ORDER_TOPIC, HUSH), now=behind), behind)


def test_a_lift_before_its_hush_leaves_no_silence_behind(held):
    assert not is_silent(taken(held, (ORDER_TOPIC, LIFT), (ORDER_TOPIC, HUSH), now=at(5)), at(6))


def test_a_plan_made_before_the_hush_does_not_end_it(held):
    after = taken(held, (ORDER_TOPIC, HUSH), (PLAN_TOPIC, plan_token()))
    assert is_silent(after, at(1))


def test_a_node_that_was_away_is_hushed_by_the_plan_and_no_recorded_order_lifts_it(held):
    old = order_token(a_lift(hush_id="im-0", number=1, until=at(-5)), "cu")
    planned = plan_token(hushes=(a_hush_state(number=2),))
    after = taken(held, (PLAN_TOPIC, planned), (ORDER_TOPIC, old))
    assert is_silent(after, at(1))


def test_a_recorded_hush_silences_nobody_who_holds_the_plan_with_its_lift(held):
    planned = plan_token(hushes=(a_lifted_state(),))
    assert not is_silent(taken(held, (PLAN_TOPIC, planned), (ORDER_TOPIC, HUSH), now=at(6)), at(6))


def test_a_hush_is_refused_on_a_topic_of_plans_and_after_its_time(held):
    with pytest.raises(RefusedError) as caught:
        receive(held, PLAN_TOPIC, HUSH, NOON)
    assert caught.value.refusal is Refusal.OUT_OF_SCOPE
    with pytest.raises(RefusedError) as caught:
        receive(held, ORDER_TOPIC, HUSH, NOON + 2 * A_DAY)
    assert caught.value.refusal is Refusal.EXPIRED


def test_a_hush_outlives_its_token_and_a_restart_without_network(held):
    verdict = receive(held, ORDER_TOPIC, HUSH, NOON)
    much_later = NOON + 100 * A_DAY
    assert verdict.kept.forget_at > much_later
    config = a_token(a_config(), PROVINCE_KEY, audience=(audience_node(NODE),))
    disk = (Kept("config", NODE, config, NOON, much_later), verdict.kept)
    again, bad = held_on_disk(Holdings(NODE, ROOT_KEY.private.public_key()), disk)
    assert not bad
    assert is_silent(again, much_later)
    # What comes by then drops orders that mean nothing any more.
    later = a_token(a_hush(number=5, mode=Mode.DRILL), message_id="tap", issued_at=much_later)
    assert is_silent(taken(again, (ORDER_TOPIC, later), now=much_later), much_later)


def hushed(start_s, end_s=None, **facts: object):
    end = EVER if end_s is None else after_noon(end_s)
    return Policy(silences=(Silence("im-1", PROVINCE, after_noon(start_s), end, **facts),))


def a_song(**overrides: object):
    facts = {"start": after_noon(0), "end": after_noon(60), **overrides}
    return a_claim(**facts)


def an_alarm(**overrides: object):
    content = a_content(items=(an_asset("loi", duration_s=20.0),))
    facts = {"start": after_noon(15), "end": after_noon(45), "content": content, **overrides}
    return an_announcement(**facts)


def sounding(*claims: object, upto_s=10):
    world = World()
    world.have(*claims)
    world.hold(*claims)
    world.run_to(after_noon(upto_s))
    return world


def stretches(record):
    def second(instant):
        return (instant - NOON).total_seconds()

    return [(second(s.start), second(s.end), round(s.position_s, 3)) for s in record.segments]


def test_what_sounds_falls_silent_and_its_record_says_hushed():
    song = a_song()
    world = sounding(song)
    world.hold(song, policy=hushed(10))
    assert world.sounding is None
    assert world.powered[-1] == (after_noon(10), False)
    world.run_to(after_noon(70))
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "hushed")
    assert stretches(record) == [(0, 10, 0)]


@pytest.mark.parametrize(
    ("when_cut", "back"),
    [(WhenCut.REJOIN, (30, 60, 30)), (WhenCut.RESUME, (30, 60, 10)), (WhenCut.DROP, None)],
)
def test_after_the_lift_a_programme_comes_back_as_it_says_itself(when_cut, back):
    song = a_song(when_cut=when_cut)
    world = sounding(song)
    world.hold(song, policy=hushed(10))
    world.run_to(after_noon(30))
    world.hold(song, policy=hushed(10, 30))
    world.run_to(after_noon(70))
    assert stretches(world.record("tin-1")) == [(0, 10, 0), *([back] if back else [])]


def test_nothing_that_falls_due_meanwhile_is_heard_or_made_up_for():
    song, alarm = a_song(), an_alarm()
    world = World()
    world.have(song, alarm)
    world.hold(song, alarm, policy=hushed(-5))
    world.run_to(after_noon(50))
    assert world.heard == []
    assert world.powered == []
    record = world.record("khan-1")
    assert (record.outcome, record.reason) == (Outcome.MISSED, "hushed")


def test_a_spared_emergency_sounds_through_the_hush_and_nothing_else():
    song, alarm = a_song(), an_alarm()
    world = World()
    world.have(song, alarm)
    world.hold(song, alarm, policy=hushed(-5, spares_emergencies=True))
    world.run_to(after_noon(70))
    assert {name for name, _start, _end in world.heard} == {"khan-1"}


def test_a_hush_twice_or_told_again_changes_nothing():
    song = a_song()
    world = sounding(song)
    world.hold(song, policy=hushed(10))
    hushes = world.hushes
    world.hold(song, policy=hushed(10))
    world.run_to(after_noon(20))
    assert world.hushes == hushes


def test_a_node_that_starts_while_hushed_makes_no_sound():
    song = a_song()
    world = sounding(song)
    world.hold(song, policy=hushed(10))
    world.restart(timedelta(seconds=3))
    world.run_to(after_noon(50))
    assert world.at(after_noon(20)) == ""
