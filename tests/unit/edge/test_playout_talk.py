"""Whoever speaks at the box has the loudspeakers for as long as the rules give them."""

from dataclasses import replace as replace_state
from datetime import timedelta

import pytest
from msgspec.structs import replace

from edge.playout import Clockwork, LiveOver
from edge.runs import CuedMicrophone, key_of, moved_claim
from edge.talk import spoken
from protocol.messages import Claim, Outcome, Preempted, Severity, TalkKey, WhenCut
from protocol.policy import Policy, Silence
from tests.factories.claims import (
    PROVINCE,
    a_claim,
    a_content,
    an_announcement,
    an_asset,
    an_interval,
)
from tests.factories.messages import a_config
from tests.factories.playouts import World, a_programme_of, after_noon

CHIME = an_asset("chuong", duration_s=3.0)
MUSIC = a_claim(claim_id="nhac", start=after_noon(-60), end=after_noon(600))
LEAD = timedelta(seconds=0.4)


def a_talk(*, away_s=600.0, at_s=0.4, has_opening=True):
    allowed = TalkKey(away_s=away_s, most_s=60.0, opening=CHIME)
    return spoken(a_config(), allowed, "nt-1", after_noon(at_s), has_opening=has_opening)


TALK = a_talk()


def pressed(*others: Claim, talk=TALK, **facts: object):
    """A node that holds some claims, and somebody who presses the key at noon."""
    world = World(now=after_noon(-5), lead=LEAD)
    world.have(talk, *others)
    world.hold(*others, **facts)
    world.run_to(after_noon(0))
    world.hold(*others, talk, **facts)
    return world


def released(world, at_s, talk=TALK, cause=""):
    world.run_to(after_noon(at_s))
    world.take(LiveOver(key_of(talk), after_noon(at_s), cause, None))


def test_the_chime_comes_first_then_the_microphone_then_the_programme_again():
    world = pressed(MUSIC)
    released(world, 20)
    world.run_to(after_noon(40))
    assert [world.at(after_noon(second)) for second in (-1, 1, 10, 19, 21)] == [
        *("nhac", "nt-1", "nt-1", "nt-1", "nhac"),
    ]
    cued = next(p for cue in world.cues for p in cue.pieces if isinstance(p, CuedMicrophone))
    assert (cued.key, cued.offset_s) == (key_of(TALK), 3.0)
    assert world.state.listens_to(after_noon(10)) == {}


def test_its_record_says_from_when_to_when():
    world = pressed(MUSIC)
    released(world, 20)
    world.run_to(after_noon(40))
    record = world.record("nt-1")
    assert (record.outcome, record.reason, record.frames) == (Outcome.PLAYED, "", None)
    (segment,) = record.segments
    assert (segment.start, segment.end) == (after_noon(0.4), after_noon(20))


def test_in_silence_the_amplifier_has_its_time_before_anything_is_heard():
    world = pressed()
    released(world, 20)
    world.run_to(after_noon(40))
    assert world.powered == [(after_noon(0), True), (after_noon(20), False)]
    assert world.heard[0][:2] == ("nt-1", after_noon(0.4))


def test_nobody_speaks_for_longer_than_is_allowed():
    world = pressed(MUSIC)
    world.run_to(after_noon(100))
    record = world.record("nt-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "live-too-long")
    assert record.segments[-1].end == after_noon(63.4)
    assert world.at(after_noon(64)) == "nhac"


@pytest.mark.parametrize("by_s", [7200.0, -7200.0])
def test_who_speaks_goes_on_when_the_clock_is_put_right(by_s):
    by = timedelta(seconds=by_s)
    world = pressed(MUSIC)
    world.run_to(after_noon(10))
    assert world.at(after_noon(9)) == "nt-1"
    world.now += by
    talk = moved_claim(TALK, by)
    told = a_programme_of(MUSIC, talk)
    world.take(Clockwork(keeps_schedule=True, since=after_noon(-5) + by, by=by, programme=told))
    world.run_to(after_noon(20) + by)
    assert world.at(after_noon(19) + by) == "nt-1"
    # What ends it has not ended by the clock when that is moved once more.
    world.take(LiveOver(key_of(talk), after_noon(20.3) + by, "", None))
    world.now -= by
    told = a_programme_of(MUSIC, TALK)
    world.take(Clockwork(keeps_schedule=True, since=after_noon(-5), by=-by, programme=told))
    assert world.state.current.key == key_of(TALK)
    world.run_to(after_noon(30))
    record = world.record("nt-1")
    assert (record.outcome, record.reason) == (Outcome.PLAYED, "")
    assert record.segments[0].start == after_noon(0.4)
    assert record.segments[-1].end == after_noon(20.3)


def an_emergency(start_s, **facts: object):
    """Five seconds of an emergency that the network orders."""
    content = a_content(items=(an_asset("khan cap", duration_s=5.0),))
    start, end = after_noon(start_s), after_noon(start_s + 30)
    return an_announcement(
        start=start, end=end, issued_at=after_noon(-60), content=content, **facts
    )


@pytest.mark.parametrize("severity", Severity)
def test_any_emergency_of_the_network_cuts_it_and_what_is_left_of_it_returns(severity):
    emergency = an_emergency(10, severity=severity)
    world = pressed(MUSIC)
    world.run_to(after_noon(9))
    world.have(TALK, MUSIC, emergency)
    world.hold(MUSIC, TALK, emergency)
    released(world, 30)
    world.run_to(after_noon(40))
    assert [world.at(after_noon(second)) for second in (9, 11, 14, 16, 29, 31)] == [
        *("nt-1", "khan-1", "khan-1", "nt-1", "nt-1", "nhac"),
    ]
    assert world.record("khan-1").outcome is Outcome.PLAYED
    cut = next(word for word in world.told if isinstance(word, Preempted) and word.by == "khan-1")
    assert cut.claim_id == "nt-1"
    record = world.record("nt-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "preempted:khan-1")


def test_a_press_during_an_emergency_is_heard_after_it_with_its_chime_if_the_key_is_still_held():
    world = pressed(an_emergency(-2))
    released(world, 40)
    world.run_to(after_noon(50))
    assert world.record("khan-1").outcome is Outcome.PLAYED
    (segment,) = world.record("nt-1").segments
    assert segment.start >= world.record("khan-1").segments[-1].end
    assert segment.position_s == 0.0


def test_a_programme_that_resumes_goes_on_where_it_was_cut():
    content = a_content(items=(an_asset("bang", duration_s=30.0),))
    tape = replace(MUSIC, content=content, when_cut=WhenCut.RESUME, start=after_noon(-4))
    world = pressed(tape)
    released(world, 10)
    world.run_to(after_noon(60))
    before, after = world.record("nhac").segments
    assert after.position_s == pytest.approx((before.end - before.start).total_seconds())
    assert after.start == after_noon(10)


@pytest.mark.parametrize("spares", [True, False])
def test_a_hush_silences_it_at_once(spares):
    world = pressed(MUSIC)
    world.run_to(after_noon(10))
    hush = Silence("im-1", PROVINCE, after_noon(10), spares_emergencies=spares)
    world.hold(MUSIC, TALK, policy=Policy(silences=(hush,)))
    released(world, 20)
    world.run_to(after_noon(40))
    assert world.at(after_noon(11)) == ""
    assert (world.record("nt-1").outcome, world.record("nt-1").reason) == (Outcome.CUT, "hushed")


@pytest.mark.parametrize(("away_s", "heard"), [(600.0, "nt-1"), (0.0, "")])
def test_quiet_hours_hold_for_it_unless_it_wants_the_network_gone(away_s, heard):
    talk = a_talk(away_s=away_s)
    world = pressed(talk=talk, policy=Policy(quiet=(an_interval(-5, 5),)))
    released(world, 20, talk)
    world.run_to(after_noon(40))
    assert world.at(after_noon(10)) == heard
    assert world.record("nt-1").reason == ("" if heard else "quiet-hours")


def test_a_key_let_go_before_the_amplifier_was_ready_sounds_nothing_and_says_so():
    world = pressed()
    world.take(LiveOver(key_of(TALK), after_noon(0.2), "released", None))
    world.run_to(after_noon(10))
    assert world.heard == []
    record = world.record("nt-1")
    assert (record.outcome, record.reason) == (Outcome.MISSED, "released")
    assert world.powered[-1][1] is False


def test_a_microphone_that_gave_nothing_is_no_play_that_was_whole():
    world = pressed(MUSIC)
    released(world, 3.4, cause="live-no-microphone")
    world.run_to(after_noon(10))
    record = world.record("nt-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "live-no-microphone")
    assert world.at(after_noon(5)) == "nhac"


def test_a_node_that_is_killed_meanwhile_tells_what_was_heard_and_does_not_go_on():
    world = pressed(MUSIC)
    world.run_to(after_noon(10))
    # What is spoken is held in memory alone.
    claims = {key_of(MUSIC): MUSIC}
    world.state = replace_state(
        world.state, programme=replace_state(world.state.programme, claims=claims)
    )
    world.restart(timedelta(seconds=2))
    world.run_to(after_noon(20))
    record = world.record("nt-1")
    assert (record.outcome, record.segments[0].start) == (Outcome.CUT, after_noon(0.4))
    assert world.at(after_noon(19)) == "nhac"


def test_the_ceilings_of_the_hour_hold_for_it():
    world = pressed(policy=Policy(volume_ceiling_db=-6.0), ceiling_db=-9.0)
    assert world.cues[-1].gain_db == -9.0
