"""When the talk key of a box may be used, and what becomes of a press."""

import sys
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.runs import key_of
from edge.settings import TalkInput
from edge.talk import (
    LAST_WORDS,
    MOST_PRESSES,
    MUTE,
    NETWORK_HERE,
    NO_MICROPHONE,
    NOT_ARMED,
    STUCK,
    TOO_OFTEN,
    TalkDesk,
    refusal,
)
from protocol.ids import TALK_PREFIX
from protocol.messages import BulletinClass, Claim, ClaimKind, Outcome, TalkKey, Targets
from tests.factories.claims import CLUSTER, COMMUNE, an_asset
from tests.factories.messages import a_config
from tests.factories.playouts import after_noon
from tests.factories.sounds import tone
from tests.factories.waiting import wait_until

CHIME = an_asset("chuong", duration_s=3.0)
ALWAYS = TalkKey(away_s=0.0, most_s=60.0, opening=CHIME)
CUT_OFF = TalkKey(away_s=600.0, most_s=60.0, opening=CHIME)
KEY = TalkInput(16, "alsa")
SPEAKS = "import sys\nwhile True: sys.stdout.buffer.write(b'\\1\\2' * 960)"
MUMBLES = "import time\ntime.sleep(60)"


@given(st.one_of(st.none(), st.floats(0, 86_400)), st.floats(0, 1e6))
def test_the_key_may_be_used_where_it_is_allowed_and_the_network_was_away_for_long_enough(
    asked_s, away_s
):
    allowed = None if asked_s is None else TalkKey(away_s=asked_s, most_s=60.0)
    expected = NOT_ARMED if asked_s is None else "" if away_s >= asked_s else NETWORK_HERE
    assert refusal(allowed, away_s) == expected


class Hand:
    """Somebody at a box, and time that is told."""

    def __init__(self, script: str = MUMBLES):
        self.now_s = 1000.0
        command = [sys.executable, "-c", script]
        self.desk = TalkDesk(KEY, 0.4, lambda: self.now_s, lambda _source: command)

    def press(self, allowed=ALWAYS, on_disk=frozenset({CHIME.digest}), **config: object):
        told = a_config(talk_key=allowed, **config)
        return self.desk.press(told, on_disk, after_noon(self.now_s - 1000))

    def close(self):
        self.desk.end()


@pytest.fixture
def hand():
    with closing(Hand()) as hand:
        yield hand


def test_what_is_spoken_is_a_claim_of_the_lowest_unit_at_this_cluster_and_no_longer_than_allowed(
    hand,
):
    claim = hand.press()
    assert claim.claim_id.startswith(TALK_PREFIX)
    assert (claim.unit, claim.kind, claim.targets) == (
        COMMUNE,
        ClaimKind.LOCAL,
        Targets(clusters=(CLUSTER,)),
    )
    # The amplifier needs 0.4 s, then comes the chime.
    assert claim.start == after_noon(0.4)
    assert claim.end == after_noon(0.4 + 3 + 60)
    assert claim.content.opening == CHIME
    assert hand.desk.speech(key_of(claim)) is not None
    assert hand.desk.speech("xa-1/another") is None


def test_a_chime_that_is_not_on_disk_is_not_waited_for(hand):
    claim = hand.press(on_disk=frozenset())
    assert claim.content.opening is None
    assert claim.end == after_noon(0.4 + 60)


def test_only_who_speaks_because_nobody_else_could_speaks_with_the_rank_of_an_emergency(hand):
    assert hand.press(ALWAYS).bulletin_class is BulletinClass.PRIORITY
    hand.now_s += 600.0
    assert hand.press(CUT_OFF).bulletin_class is BulletinClass.EMERGENCY


def test_time_without_a_broker_counts_from_when_the_last_one_was_lost(hand):
    hand.desk.note_link(is_up=True)
    hand.now_s += 5000.0
    assert hand.desk.away_s == 0.0
    hand.desk.note_link(is_up=False)
    hand.now_s += 300.0
    # Each attempt that fails says so again.
    hand.desk.note_link(is_up=False)
    hand.now_s += 299.9
    assert hand.press(CUT_OFF).reason == NETWORK_HERE
    hand.now_s += 0.1
    assert isinstance(hand.press(CUT_OFF), Claim)


def test_a_press_that_is_not_allowed_is_one_record_a_minute(hand):
    refused = hand.press(None)
    assert (refused.outcome, refused.reason) == (Outcome.MISSED, NOT_ARMED)
    assert refused.cluster == CLUSTER
    assert refused.claim_id.startswith(TALK_PREFIX)
    hand.now_s += 59.9
    assert hand.press(None) is None
    hand.now_s += 0.1
    assert hand.press(None).claim_id != refused.claim_id


def test_without_a_configuration_a_press_does_nothing(hand):
    assert hand.desk.press(None, frozenset(), after_noon(0)) is None


def test_a_contact_that_chatters_is_refused_and_told_of_once(hand):
    said = [hand.press() for _ in range(MOST_PRESSES + 5)]
    spoken, refused = said[:MOST_PRESSES], said[MOST_PRESSES:]
    assert all(isinstance(one, Claim) for one in spoken)
    assert refused[0].reason == TOO_OFTEN
    assert refused[1:] == [None] * 4
    hand.now_s += 60.0
    assert isinstance(hand.press(), Claim)


def test_what_is_spoken_ends_after_its_last_word_and_once(hand):
    claim = hand.press()
    over = hand.desk.release(after_noon(9))
    assert (over.key, over.at, over.cause) == (key_of(claim), after_noon(9) + LAST_WORDS, "")
    assert hand.desk.release(after_noon(9)) is None
    # Its last words are on their way.
    assert hand.desk.speech(key_of(claim)) is not None


def test_a_key_that_is_let_go_before_anything_could_be_heard_says_so(hand):
    hand.press()
    assert hand.desk.release(after_noon(0.05)).cause == "released"


def test_a_microphone_that_gives_nothing_ends_it_and_is_an_alarm_until_one_gives_sound(hand):
    claim = hand.press()
    assert hand.desk.look(after_noon(2)) is None
    hand.now_s += 3.1
    over = hand.desk.look(after_noon(3.1))
    assert (over.key, over.cause) == (key_of(claim), NO_MICROPHONE)
    assert hand.desk.standing(a_config(), is_closed=False) == {MUTE}
    hand.desk.speech(key_of(hand.press())).take(tone(0.02))
    hand.desk.look(after_noon(4))
    assert hand.desk.standing(a_config(), is_closed=False) == frozenset()


def test_the_recorder_runs_only_while_somebody_speaks():
    with closing(Hand(SPEAKS)) as hand:
        claim = hand.press()
        near = hand.desk.speech(key_of(claim))
        wait_until(lambda: near.has_come)
        ear = hand.desk._ear
        hand.desk.end()
        wait_until(lambda: not ear._thread.is_alive())


def test_a_key_that_stays_closed_is_an_alarm_until_it_opens(hand):
    config = a_config(talk_key=ALWAYS)
    assert hand.desk.standing(config, is_closed=True) == frozenset()
    hand.now_s += 60.0
    assert hand.desk.standing(config, is_closed=True) == frozenset()
    hand.now_s += 0.1
    assert hand.desk.standing(config, is_closed=True) == {STUCK}
    assert hand.desk.standing(config, is_closed=False) == frozenset()
    assert hand.desk.standing(config, is_closed=True) == frozenset()


def test_what_is_spoken_goes_on_when_the_network_comes_back_and_not_when_it_is_forbidden(hand):
    hand.now_s += 600.0
    hand.press(CUT_OFF)
    hand.desk.note_link(is_up=True)
    assert hand.desk.may_go_on(a_config(talk_key=CUT_OFF))
    assert not hand.desk.may_go_on(a_config(talk_key=None))
    assert not hand.desk.may_go_on(a_config(talk_key=CUT_OFF, cluster="cum-9"))
    assert not hand.desk.may_go_on(None)
    hand.desk.end()
    assert hand.desk.may_go_on(None)
