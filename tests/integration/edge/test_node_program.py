"""The node program as a process: real broker, real HTTP, real decoding, recorded output."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from protocol.messages import (
    AsRun,
    Content,
    Outcome,
    Preempted,
    Presence,
    PresenceState,
    Received,
    Relay,
    Started,
)
from tests.factories.claims import COMMUNE
from tests.factories.messages import a_hush, a_lift, a_stop
from tests.factories.radios import Radio, programme
from tests.factories.sounds import heard, lag_s, noise, rms
from tests.factories.stations import a_programme, an_urgent
from tests.factories.waiting import wait_until

pytestmark = pytest.mark.sound

SECOND = timedelta(seconds=1)


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def offset_s(node, source, at: datetime) -> float:
    """Where in the source the half second heard at ``at`` lies."""
    return lag_s(source, heard(node.recording).between(at, 0.5))


def test_an_emergency_cuts_a_programme_which_then_rejoins_where_the_clock_says(
    station, node, recorded
):
    song, alarm = recorded(5.5, 1), recorded(1.2, 2)
    station.configure(pinned=(song,))
    station.hears(Presence, state=PresenceState.HERE, config_version=1)
    start = soon(1.5)
    station.plan(a_programme(song, start))
    station.hears(Started, claim_id="tin-1")
    urgent = start + 2 * SECOND
    wait_until(lambda: datetime.now(UTC) > urgent - timedelta(seconds=0.3))
    station.play(an_urgent(alarm, urgent))
    assert station.hears(Received, claim_id="khan-1")
    record = station.final("khan-1")
    programme = station.final("tin-1")

    assert record.outcome is Outcome.PLAYED
    assert (programme.outcome, programme.reason) == (Outcome.CUT, "preempted:khan-1")
    assert len(programme.segments) == 2
    for before, after in pairwise(programme.segments):
        assert before.end <= after.start
    assert station.hears(Preempted, claim_id="tin-1").by == "khan-1"
    assert node.stop() == 0
    source = noise(5.5, seed=1)
    began = record.segments[0].start
    assert abs(offset_s(node, source, start + SECOND) - 1.0) < 0.01
    assert abs(offset_s(node, noise(1.2, seed=2), began + 0.5 * SECOND) - 0.5) < 0.01
    assert abs(offset_s(node, source, start + 4.5 * SECOND) - 4.5) < 0.01
    assert rms(heard(node.recording).between(start - SECOND, 0.9)) == 0.0
    assert len(station.heard(AsRun)) == 2
    assert station.hears(Presence, state=PresenceState.LEAVING)


def test_a_stopped_announcement_falls_silent_and_is_recorded_once(station, node, recorded):
    speech = recorded(10.0, 3)
    station.configure()
    station.hears(Presence, state=PresenceState.HERE, config_version=1)
    station.play(an_urgent(speech, soon(0.3)))
    station.hears(Started, claim_id="khan-1")
    wait_until(lambda: rms(heard(node.recording).samples[-4800:]) > 0)
    stopped = datetime.now(UTC)
    token = station.order(a_stop(until=soon(60)))
    record = station.final("khan-1")
    station.publish(f"loa/1/unit/{COMMUNE}/order", token)
    assert record.outcome is Outcome.STOPPED
    assert len(station.heard(Received, claim_id="khan-1")) == 2
    node.stop()
    after = heard(node.recording).between(stopped + timedelta(seconds=0.5), 1.0)
    assert not np.any(after)
    assert len(station.heard(AsRun)) == 1


def test_a_node_killed_in_the_middle_of_a_programme_joins_where_the_clock_says(
    station, node, recorded
):
    song = recorded(6.5, 4)
    station.configure(pinned=(song,))
    wait_until(lambda: node.holds(1))
    start = soon(1.5)
    station.plan(a_programme(song, start))
    station.hears(Started, claim_id="tin-1")
    wait_until(lambda: datetime.now(UTC) > start + 1.6 * SECOND)
    node.kill()
    killed = datetime.now(UTC)
    node.start()
    wait_until(lambda: len(station.heard(Started, claim_id="tin-1")) == 2)
    assert datetime.now(UTC) - killed < 5 * SECOND
    record = station.final("tin-1")
    node.stop()
    assert (record.outcome, record.reason) == (Outcome.CUT, "restarted")
    assert len(record.segments) == 2
    source = noise(6.5, seed=4)
    assert abs(offset_s(node, source, start + SECOND) - 1.0) < 0.01
    assert abs(offset_s(node, source, start + 5.8 * SECOND) - 5.8) < 0.01
    assert len(station.heard(AsRun)) == 1


def test_a_relay_of_this_machine_is_refused_where_it_is_not_allowed_and_said_so(
    station, node, recorded, tmp_path
):
    radio = Radio()
    radio.send_at_once(programme(tmp_path / "live.mp3", noise(3.0)).read_bytes())
    station.configure()
    station.hears(Presence, state=PresenceState.HERE, config_version=1)
    start = soon(1.5)
    relay = Content(relay=Relay(url=radio.url()))
    station.plan(a_programme(recorded(1.0, 5), start, content=relay, end=start + 2.5 * SECOND))
    record = station.final("tin-1")
    radio.close()
    assert (record.outcome, record.reason) == (Outcome.FAILED, "relay-forbidden")
    assert radio.asked == []
    assert node.stop() == 0


def test_a_hush_silences_at_once_outlives_the_program_and_gives_back_by_the_clock(
    station, node, recorded
):
    song = recorded(14.0, 5)
    station.configure(pinned=(song,))
    station.hears(Presence, state=PresenceState.HERE, config_version=1)
    start = soon(1.5)
    station.plan(a_programme(song, start))
    station.hears(Started, claim_id="tin-1")
    wait_until(lambda: datetime.now(UTC) > start + SECOND)
    since = datetime.now(UTC)
    order = a_hush(since=since)
    token = station.order(order)
    silent_at = station.hears(Received, claim_id="im-1").at
    wait_until(lambda: datetime.now(UTC) > silent_at + SECOND)
    node.kill()
    node.start()
    station.hears(Presence, state=PresenceState.HERE, config_version=1, on_air="")
    wait_until(lambda: datetime.now(UTC) > silent_at + 4 * SECOND)
    lift = a_lift(since=since, until=datetime.now(UTC))
    station.order(lift)
    wait_until(lambda: len(station.heard(Received, claim_id="im-1")) == 2)
    lifted_at = station.heard(Received, claim_id="im-1")[1].at
    # Whoever recorded the hush cannot bring it back.
    station.publish(f"loa/1/unit/{COMMUNE}/order", token)
    record = station.final("tin-1", within_s=15)
    assert node.stop() == 0

    assert (record.outcome, record.reason) == (Outcome.CUT, "hushed")
    sound = heard(node.recording)
    assert rms(sound.between(silent_at - 0.5 * SECOND, 0.4)) > 0
    assert rms(sound.between(silent_at + 0.15 * SECOND, 0.7)) == 0.0
    assert rms(sound.between(lifted_at - 1.2 * SECOND, 1.0)) == 0.0
    back = lifted_at + 2 * SECOND
    expected_s = (back - start).total_seconds()
    assert abs(offset_s(node, noise(14.0, seed=5), back) - expected_s) < 0.01
    assert len(station.heard(AsRun)) == 1
