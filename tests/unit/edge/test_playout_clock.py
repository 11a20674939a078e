"""What sounds while the time is not known, and when it is moved."""

from dataclasses import replace
from datetime import timedelta

from edge.playout import Clockwork, Playout
from protocol.messages import Claim, Content, Outcome
from tests.factories.claims import a_claim, an_announcement, an_asset
from tests.factories.playouts import World, after_noon

SONG = an_asset("song", duration_s=60.0)
SPEECH = an_asset("speech", duration_s=10.0)
LONG_AGO = timedelta(days=100)


def a_song(start_s=0.0, **overrides: object):
    content = Content(items=(SONG,))
    times = {"start": after_noon(start_s), "end": after_noon(start_s + 60)}
    return a_claim(**{**times, "content": content, **overrides})


def an_alarm(start_s=20.0):
    return an_announcement(
        start=after_noon(start_s),
        end=after_noon(start_s + 60),
        content=Content(items=(SPEECH,)),
    )


def a_lost_world(*claims: Claim, now):
    world = World(now=now)
    world.state = Playout(keeps_schedule=False)
    world.have(*claims)
    world.hold(*claims)
    return world


def know(world, *, by=timedelta(), since):
    world.now += by
    world.take(Clockwork(keeps_schedule=True, since=since, by=by))


def test_what_is_scheduled_waits_until_the_time_is_known():
    world = a_lost_world(a_song(), now=after_noon(-5))
    world.run_to(after_noon(20))
    assert world.at(after_noon(10)) == ""
    assert not world.told
    know(world, since=after_noon(-5))
    world.run_to(after_noon(70))
    assert world.at(after_noon(21)) == "tin-1"
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "clock-unknown")


def test_what_is_announced_sounds_while_the_time_is_not_known():
    world = a_lost_world(a_song(), an_alarm(), now=after_noon(20))
    world.run_to(after_noon(40))
    assert world.at(after_noon(25)) == "khan-1"
    assert world.record("khan-1").outcome is Outcome.PLAYED


def test_nothing_is_recorded_as_missed_by_a_clock_that_nobody_vouches_for():
    world = a_lost_world(a_song(), now=after_noon(3600))
    world.run_to(after_noon(4000))
    assert not world.told
    # It was ahead: by the right time the programme is still to come.
    know(world, by=-timedelta(seconds=4010), since=after_noon(-410))
    world.run_to(after_noon(70))
    assert world.record("tin-1").outcome is Outcome.PLAYED


def test_what_ended_while_the_time_was_not_known_is_told_apart_from_what_ended_before():
    early, late = a_song(-600, claim_id="tin-0"), a_song(0)
    world = a_lost_world(early, late, now=after_noon(-50) - LONG_AGO)
    world.run_to(after_noon(100) - LONG_AGO)
    know(world, by=LONG_AGO, since=after_noon(-50))
    assert world.record("tin-0").reason == "node-off"
    assert (world.record("tin-1").outcome, world.record("tin-1").reason) == (
        Outcome.MISSED,
        "clock-unknown",
    )


def test_a_plan_that_is_withdrawn_meanwhile_leaves_no_record():
    world = a_lost_world(a_song(), now=after_noon(10))
    world.hold()
    assert not world.told


def test_an_announcement_goes_on_where_it_is_when_the_clock_is_moved():
    world = a_lost_world(an_alarm(0), now=after_noon(0))
    world.run_to(after_noon(4))
    begins = world.cues[-1].begins
    by = timedelta(seconds=30)
    know(world, by=by, since=after_noon(0))
    assert world.cues[-1].begins == begins + by
    assert world.state.current.ends == world.cues[-1].ends


def test_an_announcement_that_is_yet_to_begin_begins_when_it_was_to_by_the_clock_as_it_is_now():
    world = a_lost_world(an_alarm(20), now=after_noon(19))
    assert world.state.upcoming is not None
    know(world, by=-timedelta(seconds=100), since=after_noon(-100))
    world.run_to(after_noon(40))
    assert [start for _, start, _ in world.heard] == [after_noon(20)]


def test_a_programme_that_sounds_jumps_to_where_the_moved_clock_says():
    world = World(now=after_noon(-5))
    world.have(a_song())
    world.hold(a_song())
    world.run_to(after_noon(10))
    run = next(iter(world.state.runs.values()))
    know(world, by=timedelta(seconds=20), since=after_noon(-5))
    after = next(iter(world.state.runs.values()))
    assert run.hearing.offset_s == 0
    assert (after.hearing.since, after.hearing.offset_s) == (after_noon(30), 30.0)
    (heard,) = after.segments
    assert (heard.start, heard.end) == (after_noon(20), after_noon(30))
    assert heard.position_s == 0.0


def test_what_an_earlier_life_heard_stays_where_it_was_when_the_clock_is_moved():
    world = World(now=after_noon(-5))
    world.have(a_song())
    world.hold(a_song())
    world.run_to(after_noon(10))
    # The power is back after half a minute, and the clock stood still meanwhile.
    world.state = replace(world.state, keeps_schedule=False)
    world.restart(timedelta(seconds=1))
    world.state = replace(world.state, keeps_schedule=False)
    world.run_to(after_noon(15))
    know(world, by=timedelta(seconds=30), since=after_noon(41))
    world.run_to(after_noon(70))
    first, second = world.record("tin-1").segments
    assert (first.start, first.end) == (after_noon(0), after_noon(10))
    assert (second.start, second.end) == (after_noon(45), after_noon(60))


def test_an_announcement_of_an_earlier_life_is_not_begun_anew_when_the_clock_is_moved():
    alarm = an_announcement(
        start=after_noon(20), end=after_noon(320), content=Content(items=(SPEECH,))
    )
    world = World(now=after_noon(15))
    world.have(alarm)
    world.hold(alarm)
    world.run_to(after_noon(25))
    # The power is back, and the clock is of ten minutes ago.
    world.restart(-timedelta(minutes=10))
    world.state = replace(world.state, keeps_schedule=False)
    world.run_to(world.now + timedelta(seconds=5))
    know(world, by=timedelta(seconds=615), since=after_noon(40))
    assert (world.sounding, world.waiting) == (None, None)
    record = world.record("khan-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "restarted")
    (segment,) = record.segments
    assert (segment.start, segment.end) == (after_noon(20), after_noon(25))


def test_what_would_begin_only_after_its_end_because_the_clock_was_moved_is_not_cued():
    word = Content(items=(an_asset("word", duration_s=0.5),))
    alarm = an_announcement(start=after_noon(20), end=after_noon(22.6), content=word)
    world = World(now=after_noon(15), lead=timedelta(seconds=2))
    world.have(alarm)
    world.run_to(after_noon(20))
    world.hold(alarm)
    world.run_to(after_noon(20.5))
    assert world.waiting.begins == after_noon(22)
    know(world, by=timedelta(seconds=1.5), since=after_noon(16.5))
    assert world.state.current is None
    world.run_to(after_noon(30))
    assert world.record("khan-1").outcome is Outcome.MISSED
