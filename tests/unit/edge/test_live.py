"""What a node listens to live: verified, ended, and told of."""

import queue
from datetime import timedelta
from time import monotonic

import pytest

from edge.link import Delivery
from edge.live import LiveDesk, LiveRefused
from edge.player.spoken import TONE
from edge.playout import LiveOver
from edge.runs import key_of
from protocol.errors import Refusal
from protocol.live import Ending
from protocol.signing import public_text
from tests.factories.claims import NOON
from tests.factories.live import a_live_claim, a_live_key, a_live_source, sealed, some_frames
from tests.factories.waiting import PATIENCE_S, wait_until

CLAIM = a_live_claim()
KEY = key_of(CLAIM)
TOPIC = "loa/1/live/noi-1"


class Desk:
    """A desk whose clock the test sets."""

    def __init__(self):
        self.now = NOON
        self.told = queue.SimpleQueue()
        self.desk = LiveDesk(self.told.put, clock=self.time_s)
        self.desk.start()

    def time_s(self):
        return self.now.timestamp()

    def send(self, message, key=None):
        self.put(sealed(message, key))

    def put(self, raw, topic=TOPIC):
        assert self.desk.takes(Delivery(topic, raw))

    def holds(self, count):
        """Wait until so many frames have been taken in."""
        frames = self.desk.speech(KEY).buffer._frames
        wait_until(lambda: len(frames) == count)

    def next(self):
        return self.told.get(timeout=PATIENCE_S)


@pytest.fixture
def desk():
    made = Desk()
    made.desk.arm({KEY: CLAIM})
    yield made
    made.desk.close()


def test_only_what_is_armed_is_subscribed_to_and_known(desk):
    assert desk.desk.topics == {TOPIC}
    assert desk.desk.speech(KEY) is not None
    assert desk.desk.arm({})
    assert desk.desk.topics == frozenset()
    assert desk.desk.speech(KEY) is None


def test_arming_again_what_is_armed_keeps_what_has_come(desk):
    desk.send(some_frames())
    desk.holds(3)
    speech = desk.desk.speech(KEY)
    assert not desk.desk.arm({KEY: CLAIM})
    other = a_live_claim(claim_id="noi-2")
    assert desk.desk.arm({KEY: CLAIM, key_of(other): other})
    assert desk.desk.speech(KEY) is speech


def test_a_claim_whose_name_or_key_is_none_is_not_listened_to(desk):
    long_named = a_live_claim(claim_id="x" * 90)
    desk.desk.arm({key_of(long_named): long_named})
    assert desk.desk.topics == frozenset()


def test_other_topics_are_left_to_others(desk):
    assert not desk.desk.takes(Delivery("loa/1/unit/xa-1/order", b"x"))


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        (b"rubbish", Refusal.FORGED),
        (sealed(some_frames(), a_live_key("another")), Refusal.FORGED),
        (sealed(some_frames(broadcast="noi-2")), Refusal.OUT_OF_SCOPE),
        (bytes(10_000), Refusal.TOO_LARGE),
    ],
    ids=["rubbish", "forged", "replayed", "too large"],
)
def test_what_is_not_of_this_broadcast_is_refused_told_and_not_heard(desk, raw, refusal):
    desk.put(raw)
    told = desk.next()
    assert isinstance(told, LiveRefused)
    assert told.error.refusal is refusal
    desk.send(some_frames())
    desk.holds(3)


def test_a_flood_of_forgeries_is_told_once_a_second(desk):
    since_s = monotonic()
    for _ in range(200):
        desk.put(b"rubbish")
    desk.send(some_frames())
    desk.holds(3)
    assert 1 <= desk.told.qsize() <= 1 + (monotonic() - since_s)


def test_a_broadcast_spoken_to_its_end_is_closed_by_the_tone_and_told_when_all_was_heard(desk):
    desk.send(some_frames(ending=Ending.SPOKEN))
    desk.holds(3)
    ends = NOON + timedelta(seconds=1, milliseconds=60)
    desk.now = ends - timedelta(milliseconds=1)
    assert desk.told.empty()
    desk.now = ends
    told = desk.next()
    assert isinstance(told, LiveOver)
    assert (told.key, told.at, told.cause) == (KEY, ends + TONE, "")


def test_a_broadcast_whose_frames_stop_is_told_as_lost(desk):
    desk.now = NOON + timedelta(seconds=4)
    desk.send(some_frames(sequence=150))
    desk.holds(3)
    desk.now = NOON + timedelta(seconds=4.06 + 1.5)
    wait_until(lambda: next(iter(desk.desk._armed.values())).over)
    desk.now += timedelta(seconds=0.2)
    told = desk.next()
    assert told.cause == "live-lost"
    # The last frame was heard 5 s after noon.
    assert told.at - TONE - NOON < timedelta(seconds=5.06 + 2)


def test_what_comes_after_a_broadcast_was_given_up_is_not_heard(desk):
    desk.send(some_frames())
    desk.holds(3)
    desk.now = NOON + timedelta(seconds=10)
    wait_until(lambda: next(iter(desk.desk._armed.values())).over)
    desk.send(some_frames(sequence=600))
    desk.put(b"rubbish")
    desk.now += timedelta(seconds=1)
    assert isinstance(desk.next(), LiveOver)
    assert desk.told.empty()


def test_two_broadcasts_of_one_name_by_two_units_are_told_apart_by_their_keys(desk):
    source = a_live_source(public_key=public_text(a_live_key("another").public_key()))
    theirs = a_live_claim(unit="tinh-1", source=source)
    desk.desk.arm({KEY: CLAIM, key_of(theirs): theirs})
    desk.send(some_frames())
    desk.holds(3)
    assert not desk.desk.speech(key_of(theirs)).buffer._frames
