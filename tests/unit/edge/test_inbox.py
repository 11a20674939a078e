"""What is taken in of a flood of messages, and in which order."""

from queue import Empty

import pytest

from edge.clock import Clock
from edge.inbox import CALM_S, MANY, TOO_MANY, TOO_MANY_BYTES, Inbox, Worth
from edge.intake import worth
from edge.link import Delivery
from edge.machine import FakeMachine
from edge.parts import Stop
from edge.schedule import Accepted, Holdings, receive
from protocol.messages import BulletinClass, Mode
from protocol.signing import audience_node
from protocol.topics import node_config, unit_order, unit_plan
from tests.factories.claims import COMMUNE, NODE, NOON, at
from tests.factories.messages import (
    PROVINCE_KEY,
    ROOT_KEY,
    a_config,
    a_hush,
    a_key,
    a_lift,
    a_plan,
    a_play,
    a_stop,
    a_token,
)

ORDERS = unit_order(COMMUNE)


@pytest.fixture
def held():
    config = a_token(a_config(), PROVINCE_KEY, audience=(audience_node(NODE),))
    verdict = receive(
        Holdings(NODE, ROOT_KEY.private.public_key()), node_config(NODE), config, NOON
    )
    assert isinstance(verdict, Accepted)
    return verdict.holdings


@pytest.fixture
def judged(held, tmp_path):
    """Asked what a message is worth, as the agent has it asked."""
    clock = Clock(FakeMachine(NOON.timestamp(), ntp_error_s=0.1), tmp_path / "clock.json")
    clock.watch()
    return lambda delivery: worth(held, delivery, clock)


@pytest.fixture
def inbox(judged):
    made = Inbox[Stop]()
    made.judge_by(judged)
    return made


def an_order(message, name="m-1", key=None):
    known = {} if key is None else {"key": key}
    return Delivery(ORDERS, a_token(message, message_id=name, **known))


def forged(number):
    return Delivery(ORDERS, f"forged {number}".encode())


def flood(inbox, count=10 * TOO_MANY):
    for number in range(count):
        inbox.put(forged(number))


def all_of(inbox):
    taken = []
    while True:
        try:
            taken.append(inbox.get(timeout=0))
        except Empty:
            return taken


def test_on_a_good_day_nothing_is_judged_and_all_is_taken_in_turn():
    inbox = Inbox[Stop]()
    inbox.judge_by(lambda _delivery: pytest.fail("judged"))
    came = [an_order(a_stop(), "stop"), *map(forged, range(MANY - 2)), Stop(), forged(MANY)]
    for _day in range(3):
        for event in came:
            inbox.put(event)
        assert all_of(inbox) == came
    assert not inbox.take_dropped()


def test_what_is_forged_does_not_fill_the_memory_and_is_counted_once(inbox):
    flood(inbox)
    assert len(all_of(inbox)) == MANY
    assert inbox.take_dropped() == {ORDERS: 10 * TOO_MANY - MANY}
    assert not inbox.take_dropped()


def test_a_flood_is_over_when_nothing_worthless_has_come_for_a_second(judged):
    now_s = 100.0
    inbox = Inbox[Stop](lambda: now_s)
    inbox.judge_by(judged)
    flood(inbox, MANY + 1)
    assert len(all_of(inbox)) == MANY
    now_s += CALM_S
    inbox.put(forged(1))
    now_s += CALM_S
    inbox.put(forged(2))
    assert all_of(inbox) == []
    now_s += 1.01 * CALM_S
    inbox.put(forged(3))
    assert all_of(inbox) == [forged(3)]


def test_large_messages_do_not_fill_it_either():
    inbox = Inbox[Stop]()
    inbox.judge_by(lambda _delivery: Worth.ITS_TURN)
    for number in range(100):
        inbox.put(Delivery(ORDERS, bytes([number]) * 1_000_000))
    assert sum(len(one.payload) for one in all_of(inbox)) == TOO_MANY_BYTES


@pytest.mark.parametrize(
    "message",
    [
        a_stop(),
        a_hush(),
        a_play(),
    ],
    ids=["stop", "silence", "emergency"],
)
def test_a_stop_a_silence_and_an_emergency_go_ahead_of_a_flood_once_each(inbox, message):
    flood(inbox)
    grave = an_order(message)
    for _copy in range(1000):
        inbox.put(grave)
    assert all_of(inbox)[:2] == [grave, forged(0)]


@pytest.mark.parametrize(
    "message",
    [
        a_play(bulletin_class=BulletinClass.PRIORITY),
        a_play(mode=Mode.DRILL),
        a_lift(),
    ],
    ids=["announcement", "drill", "lift"],
)
def test_what_else_is_genuine_waits_for_its_turn_unless_too_many_do(inbox, message):
    flood(inbox)
    genuine = [an_order(message, f"m-{number}") for number in range(TOO_MANY)]
    for one in genuine:
        inbox.put(one)
    assert all_of(inbox)[MANY:] == genuine[: TOO_MANY - MANY]


def test_what_is_grave_is_dropped_not_even_where_too_many_genuine_ones_wait():
    inbox = Inbox[Stop]()
    inbox.judge_by(lambda one: Worth.THE_FIRST if one.payload == b"stop" else Worth.ITS_TURN)
    for number in range(2 * TOO_MANY):
        inbox.put(forged(number))
    stop = Delivery(ORDERS, b"stop")
    inbox.put(stop)
    taken = all_of(inbox)
    assert (taken[0], len(taken)) == (stop, TOO_MANY + 1)


def test_who_claims_to_be_grave_and_is_not_genuine_is_dropped(judged):
    stranger = a_key(COMMUNE, seed="stranger")
    assert judged(an_order(a_stop(), key=stranger)) is Worth.NOTHING
    assert judged(an_order(a_stop())) is Worth.THE_FIRST


def test_an_order_that_is_held_already_is_not_taken_in_again(held, judged, tmp_path):
    stop = an_order(a_stop())
    verdict = receive(held, ORDERS, stop.payload, NOON)
    clock = Clock(FakeMachine(NOON.timestamp(), ntp_error_s=0.1), tmp_path / "clock.json")
    assert judged(stop) is Worth.THE_FIRST
    assert worth(verdict.holdings, stop, clock) is Worth.NOTHING


def test_a_plan_that_is_held_already_is_not_taken_in_again(held, judged, tmp_path):
    plan = Delivery(unit_plan(COMMUNE), a_token(a_plan()))
    assert judged(plan) is Worth.ITS_TURN
    verdict = receive(held, plan.topic, plan.payload, NOON)
    clock = Clock(FakeMachine(NOON.timestamp(), ntp_error_s=0.1), tmp_path / "clock.json")
    clock.watch()
    assert worth(verdict.holdings, plan, clock) is Worth.NOTHING


def test_by_a_clock_that_nobody_vouches_for_a_stop_of_before_goes_first_too(held, tmp_path):
    clock = Clock(FakeMachine(NOON.timestamp()), tmp_path / "clock.json")
    assert not clock.is_trusted
    clock.take_issued(at(1))
    stop = an_order(a_stop())
    assert worth(held, stop, clock) is Worth.THE_FIRST
    later = an_order(a_play(bulletin_class=BulletinClass.PRIORITY), "m-2")
    assert worth(held, later, clock) is Worth.ITS_TURN


def test_what_else_happens_is_never_dropped(inbox):
    flood(inbox)
    inbox.put(Stop())
    assert all_of(inbox)[-1] == Stop()


def test_who_has_taken_all_that_waited_meanwhile_need_not_wait_for_what_is_grave():
    inbox = Inbox[Stop]()
    taken = []

    def judge(_delivery):
        taken.extend(all_of(inbox))
        return Worth.THE_FIRST

    inbox.judge_by(judge)
    flood(inbox, MANY + 1)
    assert len(taken) == MANY
    assert inbox.get(timeout=1.0) == forged(MANY)
