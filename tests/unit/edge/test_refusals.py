"""Refusals are counted, and reported without letting an enemy flood the outbox."""

from datetime import timedelta

import pytest

from edge.refusals import EVERY, BadMessage, Refusals
from edge.rounds import Rounds
from protocol.errors import Refusal
from tests.factories.claims import NOON

A_SECOND = timedelta(seconds=1)


def a_bad(reason=Refusal.FORGED, topic="loa/1/unit/xa-1/order", message_id="m-1"):
    return BadMessage(topic, reason, message_id)


def test_the_first_is_reported_at_once_and_the_rest_once_a_minute_with_a_count():
    refusals = Refusals()
    assert refusals.note(a_bad(), NOON).count == 1
    assert refusals.note(a_bad(message_id="m-2"), NOON + A_SECOND) is None
    assert refusals.note(a_bad(message_id="m-3"), NOON + 2 * A_SECOND) is None
    assert refusals.note(a_bad(message_id="m-4"), NOON + EVERY).count == 3
    assert refusals.counts == {"forged": 4}


def test_another_reason_or_topic_is_reported_for_itself():
    refusals = Refusals()
    refusals.note(a_bad(), NOON)
    assert refusals.note(a_bad(reason=Refusal.EXPIRED), NOON) is not None
    assert refusals.note(a_bad(topic="loa/1/unit/xa-1/plan"), NOON) is not None


def test_a_replay_is_reported_once_for_each_message():
    refusals = Refusals()
    assert refusals.note(a_bad(Refusal.REPLAYED), NOON) is not None
    assert refusals.note(a_bad(Refusal.REPLAYED), NOON + 2 * EVERY) is None
    assert refusals.note(a_bad(Refusal.REPLAYED, message_id="m-2"), NOON) is not None


@pytest.mark.parametrize(
    ("reason", "topic", "trouble"),
    [
        (Refusal.GARBLED, "loa/1/unit/xa-1/plan", "plan-refused"),
        (Refusal.TOO_LARGE, "loa/1/unit/xa-1/plan", "plan-refused"),
        (Refusal.UNKNOWN_KIND, "loa/1/unit/xa-1/plan", "plan-refused"),
        (Refusal.FORGED, "loa/1/unit/xa-1/plan", ""),
        (Refusal.GARBLED, "loa/1/unit/xa-1/order", ""),
    ],
)
def test_only_a_plan_that_cannot_be_read_is_a_trouble(reason, topic, trouble):
    refusals = Refusals()
    refusals.note(a_bad(reason, topic), NOON)
    assert refusals.plan_trouble == trouble


def test_a_thousand_topics_do_not_fill_the_memory():
    refusals = Refusals()
    for number in range(1000):
        refusals.note(a_bad(topic=f"t/{number}"), NOON)
    assert len(refusals._seen) <= 200


def test_what_was_missed_is_done_once():
    done = []
    rounds = Rounds(100.0)
    rounds.every(10.0, lambda: done.append("ten"), first_s=5.0)
    rounds.every(3.0, lambda: done.append("three"), first_s=1.0)
    assert rounds.next_s() == 101.0
    for task in rounds.take_due(200.0):
        task()
    assert done == ["ten", "three"]
    assert rounds.next_s() == 203.0
