"""A radio station as it is heard, judged by the recording alone."""

import queue
from datetime import timedelta

import numpy as np
import pytest

from edge.errors import Stall
from edge.player import Died, Ended, Piece, Sound, Stalled, Started, Station
from edge.player.engine import MixerPlayer
from edge.player.reception import Receiver
from edge.player.recording import RecordingOutput
from edge.player.web import Web
from tests.factories.radios import Radio, programme
from tests.factories.sounds import encode, heard, lag_s, noise, now, rms
from tests.factories.waiting import wait_until

pytestmark = pytest.mark.sound

SONG = noise(16.0, seed=1)
URGENT = noise(2.0, seed=2)
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return programme(tmp_path_factory.mktemp("dai") / "live.mp3", SONG).read_bytes()


@pytest.fixture
def radio(body):
    radio = Radio()
    radio.body, radio.bytes_per_s = body, len(body) // 16
    radio.go_to(5.0, burst_s=3.0)
    yield radio
    radio.close()


@pytest.fixture
def booth(tmp_path):
    events = queue.SimpleQueue()
    output = RecordingOutput(tmp_path / "heard.wav")
    player = MixerPlayer(output, events, receive=Receiver(Web(near=True, read_s=0.5)))
    yield player, events
    player.close()


def wait_for(events, kind, claim_id="dai"):
    while True:
        event = events.get(timeout=10)
        assert not isinstance(event, Died), event
        if isinstance(event, kind) and event.claim_id == claim_id:
            return event


def a_relay(radio, begins, length_s):
    return Sound("dai", begins, (Station(radio.url(), 0.0, length_s),), length_s)


def test_a_station_begins_on_time_is_cut_by_what_is_urgent_and_comes_back_live(
    radio, booth, tmp_path
):
    player, events = booth
    urgent = encode(tmp_path / "urgent.opus", URGENT)
    begins = now() + 1.5 * SECOND
    player.cue(a_relay(radio, begins, 20.0))
    assert abs(wait_for(events, Started).at - begins) < timedelta(milliseconds=5)
    wait_until(lambda: now() > begins + 1.0 * SECOND)
    cued = now()
    player.cue(Sound("khan", cued, (Piece(urgent, 0.0, 2.0),), 1.2))
    cut = wait_for(events, Started, "khan")
    # Twice the promise: other programs run on this machine meanwhile.
    assert cut.at - cued < timedelta(seconds=0.3)
    # As a node does: told of the return before the urgent one has ended.
    again = cued + 1.2 * SECOND
    player.cue(a_relay(radio, again, 20.0))
    assert wait_for(events, Started).at - again < 0.2 * SECOND
    wait_until(lambda: now() > again + 1.2 * SECOND)
    player.close()
    kept = heard(tmp_path / "heard.wav")
    assert not np.any(kept.between(begins - 0.5 * SECOND, 0.49))
    first = lag_s(SONG, kept.between(begins + 0.3 * SECOND, 0.5)) - 0.3
    back = lag_s(SONG, kept.between(again + 0.5 * SECOND, 0.5)) - 0.5
    assert 1.5 < first < 7.0
    # What it sent meanwhile is not heard: it is joined where it is now.
    assert back > first + 1.0
    assert lag_s(URGENT, kept.between(cued + 0.6 * SECOND, 0.4)) == pytest.approx(0.6, abs=0.002)
    assert len([path for path in radio.asked if path == "/live"]) == 2


def test_a_station_that_dies_is_silence_within_what_was_in_store_and_is_heard_again(
    radio, booth, tmp_path
):
    player, events = booth
    radio.go_to(5.0, burst_s=2.0)
    begins = now() + 0.5 * SECOND
    player.cue(a_relay(radio, begins, 7.5))
    wait_for(events, Started)
    died = now()
    radio.silent.set()
    stalled = wait_for(events, Stalled)
    assert stalled.reason is Stall.LOST
    assert stalled.at - died < 3.5 * SECOND
    wait_until(lambda: now() > stalled.at + 0.5 * SECOND)
    radio.silent.clear()
    back = wait_for(events, Started)
    wait_for(events, Ended)
    player.close()
    kept = heard(tmp_path / "heard.wav")
    assert rms(kept.between(stalled.at + 0.1 * SECOND, 0.3)) == 0.0
    assert rms(kept.between(back.at + 0.1 * SECOND, 0.3)) > 0.05
    assert not np.any(kept.between(begins + 7.52 * SECOND, 0.3))


def test_a_station_that_nobody_answers_for_is_told_of_once(booth):
    player, events = booth
    begins = now() + 0.2 * SECOND
    player.cue(Sound("dai", begins, (Station("http://127.0.0.1:9/live", 0.0, 2.0),), 2.0))
    assert wait_for(events, Stalled).reason is Stall.NO_ANSWER
    assert isinstance(events.get(timeout=5), Ended)
