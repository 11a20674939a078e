"""Somebody speaks, a real node listens: broker, signatures, decoding, and what was recorded."""

from datetime import UTC, datetime, timedelta

import pytest

from protocol.messages import Outcome, Presence, PresenceState, Received, Refused, Started
from tests.factories.live import a_live_claim, a_live_source, speak, spoken
from tests.factories.sounds import heard, lag_s, noise, rms
from tests.factories.stations import a_programme
from tests.factories.waiting import wait_until

pytestmark = pytest.mark.sound

SECOND = timedelta(seconds=1)
DELAY = SECOND
TOPIC = "loa/1/live/noi-1"
WORDS = noise(2.4, seed=5)
FRAMES = spoken(WORDS)


@pytest.fixture
def speaking(station, node):
    """Arm a broadcast that is spoken from its start on, with no chime before it."""
    assert node.pid
    station.configure()
    station.hears(Presence, state=PresenceState.HERE, config_version=1)
    start = datetime.now(UTC) + timedelta(seconds=1.2)
    claim = a_live_claim(
        opening_s=0,
        source=a_live_source(delay_s=DELAY.total_seconds(), max_length_s=30.0),
        start=start,
        end=start + timedelta(seconds=40),
        issued_at=start - SECOND,
    )
    station.play(claim)
    station.hears(Received, claim_id="noi-1")
    return claim


def test_what_is_spoken_is_heard_a_fixed_time_later_and_closed_by_a_tone(
    station, node, recorded, speaking
):
    song = recorded(14.0, 1)
    station.plan(a_programme(song, speaking.start - SECOND))
    captured = speaking.start - DELAY + timedelta(seconds=0.2)
    station.publish(TOPIC, b"rubbish")
    speak(lambda raw: station.publish(TOPIC, raw), FRAMES, captured)
    record = station.final("noi-1")
    assert (record.outcome, record.reason) == (Outcome.PLAYED, "")
    assert record.frames.late == 0
    assert record.frames.heard >= 115
    assert station.hears(Refused, reason="forged").topic == TOPIC
    wait_until(lambda: len(station.heard(Started, claim_id="tin-1")) == 2, within_s=20)
    again = station.heard(Started, claim_id="tin-1")[1]
    assert again.at >= record.segments[-1].end - timedelta(milliseconds=50)
    node.stop()
    kept = heard(node.recording)
    # The encoder looks 6.5 ms ahead.
    words_at = captured + DELAY
    assert lag_s(WORDS, kept.between(words_at + SECOND, 1.0)) == pytest.approx(0.9935, abs=0.003)
    closing = kept.between(words_at + timedelta(seconds=2.45), 0.6)
    assert 0.01 < rms(closing) < 0.1


def test_when_the_frames_stop_the_node_falls_silent_and_closes_by_itself(station, node, speaking):
    captured = speaking.start - DELAY
    speak(lambda raw: station.publish(TOPIC, raw), FRAMES, captured, ending=None)
    last = captured + DELAY + timedelta(seconds=2.4)
    record = station.final("noi-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "live-lost")
    node.stop()
    kept = heard(node.recording)
    assert rms(kept.between(last + timedelta(seconds=0.05), 1.3)) == 0.0
    assert rms(kept.between(last + timedelta(seconds=1.6), 0.8)) > 0.01
    assert not kept.between(last + timedelta(seconds=3.0), 1.0).any()
