"""What the loudspeakers do, told by examples."""

from dataclasses import replace as changed
from datetime import timedelta

import pytest
from msgspec.structs import replace

from edge.errors import Stall
from edge.player import Stalled
from edge.player import Started as SoundStarted
from edge.playout import OnDisk, Spoiled, Tick
from edge.runs import CUE_LEAD, PATIENCE, CuedRelay, key_of
from protocol.messages import (
    EARLIEST,
    LATEST,
    AsRun,
    BulletinClass,
    Ceiling,
    Claim,
    ClaimKind,
    Content,
    Interval,
    Outcome,
    Preempted,
    Relay,
    Started,
    StartMode,
    WhenCut,
)
from protocol.policy import Policy
from tests.factories.claims import CLUSTER, NOON, PROVINCE, a_claim, an_announcement, an_asset
from tests.factories.playouts import World, after_noon, files_of

SONG = an_asset("song", duration_s=60.0)
SPEECH = an_asset("speech", duration_s=10.0)
CHIME = an_asset("chime", duration_s=3.0)
URL = "http://dai.example/live"


def a_song(**overrides: object):
    return a_claim(
        **{
            "start": after_noon(0),
            "end": after_noon(60),
            "content": Content(items=(SONG,)),
            **overrides,
        }
    )


def an_alarm(start_s=20.0, **overrides: object):
    return an_announcement(
        **{
            "start": after_noon(start_s),
            "end": after_noon(start_s + 60),
            "content": Content(items=(SPEECH,), opening=CHIME),
            **overrides,
        }
    )


def a_world(*claims: Claim, **facts: object):
    world = World(**facts)
    world.have(*claims)
    world.hold(*claims)
    return world


def seconds(at):
    return round((at - after_noon(0)).total_seconds(), 3)


def stretches(record):
    return [(seconds(s.start), seconds(s.end), round(s.position_s, 3)) for s in record.segments]


def test_a_programme_is_cued_ahead_and_sounds_from_its_planned_instant():
    world = a_world(a_song())
    world.run_to(after_noon(-0.5))
    assert world.waiting.begins == after_noon(0)
    world.run_to(after_noon(70))
    assert world.heard == [("tin-1", after_noon(0), after_noon(60))]
    record = world.record("tin-1")
    assert (record.outcome, record.reason, record.cluster) == (Outcome.PLAYED, "", CLUSTER)
    assert stretches(record) == [(0, 60, 0)]


def test_a_late_node_joins_where_the_clock_says():
    world = World(now=after_noon(25))
    world.have(a_song())
    world.hold(a_song())
    assert (world.cues[0].begins, world.now) == (after_noon(0), after_noon(25))
    world.run_to(after_noon(70))
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "late")
    assert stretches(record) == [(25, 60, 25)]


def test_what_was_displaced_returns_by_the_clock():
    world = a_world(a_song(), an_alarm())
    world.run_to(after_noon(70))
    assert world.at(after_noon(19.99)) == "tin-1"
    assert world.at(after_noon(20)) == "khan-1"
    assert world.at(after_noon(33.01)) == "tin-1"
    assert stretches(world.record("tin-1")) == [(0, 20, 0), (33, 60, 33)]
    assert world.record("tin-1").reason == "preempted:khan-1"
    assert world.record("khan-1").outcome is Outcome.PLAYED
    (cut,) = [word for word in world.told if isinstance(word, Preempted)]
    assert (cut.claim_id, cut.by, seconds(cut.at)) == ("tin-1", "khan-1", 20)


def test_a_programme_that_resumes_continues_where_it_was_cut():
    song = a_song(when_cut=WhenCut.RESUME, end=after_noon(100))
    world = a_world(song, an_alarm())
    world.run_to(after_noon(110))
    assert stretches(world.record("tin-1")) == [(0, 20, 0), (33, 73, 20)]
    assert world.record("tin-1").outcome is Outcome.PLAYED


def test_a_programme_that_is_dropped_does_not_return():
    world = a_world(a_song(when_cut=WhenCut.DROP), an_alarm())
    world.run_to(after_noon(21))
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "preempted:khan-1")
    world.run_to(after_noon(70))
    assert world.at(after_noon(40)) == ""


def test_a_graver_emergency_displaces_a_lesser_which_then_returns():
    grave = an_alarm(25, claim_id="khan-2", severity=4)
    world = a_world(an_alarm(20, severity=2, when_cut=WhenCut.RESUME), grave)
    world.run_to(after_noon(100))
    assert world.at(after_noon(26)) == "khan-2"
    assert stretches(world.record("khan-1")) == [(20, 25, 0), (38, 46, 5)]


def test_an_announcement_late_by_less_than_its_opening_is_in_step_with_its_neighbours():
    world = World(now=after_noon(22.5))
    world.have(an_alarm())
    world.hold(an_alarm())
    assert world.cues[0].begins == after_noon(20)
    world.run_to(after_noon(40))
    assert world.record("khan-1").outcome is Outcome.PLAYED


def test_an_announcement_later_than_its_opening_starts_from_the_beginning():
    world = World(now=after_noon(23.5))
    world.have(an_alarm())
    world.hold(an_alarm())
    world.run_to(after_noon(60))
    # Not at this instant: the player's buffer holds what was decided before.
    began = 23.5 + CUE_LEAD.total_seconds()
    assert world.cues[0].begins == after_noon(began)
    assert stretches(world.record("khan-1")) == [(began, began + 13, 0)]


def test_an_announcement_that_cannot_end_in_its_time_is_not_begun():
    world = World(now=after_noon(70))
    world.have(an_alarm())
    world.hold(an_alarm())
    assert world.cues == []
    record = world.record("khan-1")
    assert (record.outcome, record.reason, record.segments) == (Outcome.MISSED, "late", ())


def test_the_opening_sounds_while_the_speech_is_fetched_and_the_speech_follows_uncut():
    alarm = an_alarm()
    world = World()
    world.take(OnDisk(frozenset({CHIME.digest})))
    world.hold(alarm)
    world.run_to(after_noon(21))
    assert world.at(after_noon(20.5)) == "khan-1"
    world.have(alarm)
    world.run_to(after_noon(60))
    assert {(cue.key, cue.begins) for cue in world.cues} == {(key_of(alarm), after_noon(20))}
    assert stretches(world.record("khan-1")) == [(20, 33, 0)]


def test_late_speech_begins_when_it_is_there_and_is_heard_whole():
    alarm = an_alarm()
    world = World()
    world.take(OnDisk(frozenset({CHIME.digest})))
    world.hold(alarm)
    world.run_to(after_noon(30))
    world.have(alarm)
    world.run_to(after_noon(60))
    record = world.record("khan-1")
    assert record.outcome is Outcome.PLAYED
    assert stretches(record) == [(20, 23, 0), (30.15, 40.15, 3)]


def test_a_programme_comes_back_when_the_speech_does_not_come_and_gives_way_when_it_does():
    song, alarm = a_song(end=after_noon(120), content=Content(items=(SONG,), repeat=2)), an_alarm()
    world = World()
    world.take(OnDisk(frozenset({CHIME.digest, SONG.digest})))
    world.hold(song, alarm)
    gives_up_s = 23 + PATIENCE.total_seconds()
    world.run_to(after_noon(gives_up_s + 5))
    assert world.at(after_noon(gives_up_s - 1)) == ""
    assert world.at(after_noon(gives_up_s + 1)) == "tin-1"
    world.have(song, alarm)
    world.run_to(after_noon(110))
    assert world.at(after_noon(gives_up_s + 6)) == "khan-1"
    assert world.record("khan-1").outcome is Outcome.PLAYED


def test_an_announcement_without_any_file_leaves_the_programme_on():
    song, alarm = a_song(), an_alarm()
    world = World()
    world.have(song)
    world.hold(song, alarm)
    world.run_to(after_noon(120))
    assert world.at(after_noon(25)) == "tin-1"
    record = world.record("khan-1")
    assert (record.outcome, record.reason) == (Outcome.MISSED, "audio-missing")
    assert world.record("tin-1").outcome is Outcome.PLAYED


def test_a_programme_without_its_file_is_silent_until_it_is_there_then_joins_by_the_clock():
    world = World()
    world.hold(a_song())
    world.run_to(after_noon(10))
    assert world.powered == []
    world.have(a_song())
    world.run_to(after_noon(70))
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "audio-missing")
    assert stretches(record) == [(10, 60, 10)]


def test_the_files_that_are_there_play_at_their_own_place():
    first, second = an_asset("a", duration_s=20.0), an_asset("b", duration_s=40.0)
    song = a_song(content=Content(items=(first, second)))
    world = World()
    world.take(OnDisk(frozenset({second.digest})))
    world.hold(song)
    world.run_to(after_noon(70))
    assert world.heard == [("tin-1", after_noon(20), after_noon(60))]
    assert stretches(world.record("tin-1")) == [(20, 60, 20)]


def test_a_stop_silences_at_once_and_is_recorded():
    song = a_song()
    world = a_world(song)
    world.run_to(after_noon(12))
    world.hold(song, stopped=(song,))
    assert world.sounding is None
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.STOPPED, "stopped")
    assert stretches(record) == [(0, 12, 0)]


def test_a_stop_that_came_before_the_play_is_final():
    alarm = an_alarm()
    world = a_world()
    world.hold(stopped=(alarm,))
    world.have(alarm)
    world.hold(alarm, stopped=(alarm,))
    world.run_to(after_noon(60))
    assert world.cues == []
    assert world.record("khan-1").outcome is Outcome.STOPPED


def test_a_unit_cannot_stop_the_claim_of_another_by_its_id():
    song = a_song()
    world = a_world(song)
    world.hold(song, stopped=(replace(song, unit="xa-2"),))
    world.run_to(after_noon(70))
    assert world.record("tin-1").outcome is Outcome.PLAYED


def test_a_claim_withdrawn_while_it_sounds_ends_as_cut():
    world = a_world(a_song())
    world.run_to(after_noon(12))
    world.hold()
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "withdrawn")
    assert world.sounding is None


def test_a_claim_withdrawn_before_its_time_needs_no_record():
    world = a_world(a_song())
    world.run_to(after_noon(-1))
    assert world.waiting is not None
    world.hold()
    assert world.waiting is None
    world.run_to(after_noon(70))
    assert world.records() == []


def test_quiet_hours_end_a_programme_and_not_an_emergency():
    quiet = Policy(quiet=(Interval(start=after_noon(10), end=after_noon(50)),))
    song, alarm = a_song(), an_alarm()
    world = World()
    world.have(song, alarm)
    world.hold(song, alarm, policy=quiet)
    world.run_to(after_noon(70))
    assert world.at(after_noon(9.9)) == "tin-1"
    assert world.at(after_noon(15)) == ""
    assert world.at(after_noon(25)) == "khan-1"
    assert world.at(after_noon(55)) == "tin-1"
    assert world.record("tin-1").reason == "quiet-hours"
    assert stretches(world.record("tin-1")) == [(0, 10, 0), (50, 60, 50)]


def test_the_lowest_of_all_ceilings_holds():
    song = a_song(gain_db=-3.0)
    world = World()
    world.have(song)
    world.hold(song, policy=Policy(volume_ceiling_db=-6.0), ceiling_db=-9.0)
    world.run_to(after_noon(1))
    assert world.cues[-1].gain_db == -9.0
    world.hold(song, policy=Policy(volume_ceiling_db=-12.0), ceiling_db=-9.0)
    assert world.cues[-1].gain_db == -12.0
    assert world.cues[-1].begins == world.cues[0].begins


def test_the_ceiling_of_the_hours_that_a_play_reaches_holds_from_its_beginning():
    song = a_song()
    evening = Ceiling(start=after_noon(30), end=after_noon(90), volume_ceiling_db=-8.0)
    world = World()
    world.have(song)
    world.hold(song, policy=Policy(ceilings=(evening,)))
    world.run_to(after_noon(1))
    assert world.cues[-1].gain_db == -8.0


def test_the_amplifier_is_on_its_lead_before_the_sound_and_off_after_it():
    world = World(lead=timedelta(seconds=0.4))
    world.have(a_song())
    world.hold(a_song())
    world.run_to(after_noon(70))
    assert [(seconds(at), on) for at, on in world.powered] == [(-0.4, True), (60, False)]


def test_an_urgent_announcement_waits_for_a_cold_amplifier():
    bare = an_alarm(content=Content(items=(SPEECH,)))
    world = World(now=after_noon(20), lead=timedelta(seconds=0.4))
    world.have(bare)
    world.hold(bare)
    assert world.powered == [(after_noon(20), True)]
    assert world.cues[0].begins == after_noon(20.4)


def test_a_file_that_does_not_decode_makes_the_claim_fail():
    song = a_song()
    world = a_world(song)
    world.run_to(after_noon(5))
    world.take(Spoiled(key_of(song), SONG.digest))
    world.run_to(after_noon(70))
    record = world.record("tin-1")
    assert (record.outcome, record.reason, record.segments) == (Outcome.FAILED, "audio-damaged", ())


def test_a_node_killed_in_the_middle_continues_the_same_record():
    world = a_world(a_song())
    world.run_to(after_noon(12))
    world.restart(off=timedelta(seconds=4), alive=timedelta(seconds=1))
    world.run_to(after_noon(70))
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "restarted")
    assert stretches(record) == [(0, 11, 0), (16, 60, 16)]


def test_what_ended_while_the_node_was_off_is_reported_missed():
    late = a_song(claim_id="tin-2", start=after_noon(100), end=after_noon(160))
    world = a_world(a_song(), late)
    world.run_to(after_noon(70))
    world.restart(off=timedelta(hours=1))
    assert world.record("tin-2").reason == "node-off"
    assert len(world.records()) == 2
    world.restart(off=timedelta(hours=1))
    assert len(world.records()) == 2


def test_what_ended_more_than_a_day_ago_is_not_reported():
    world = a_world(a_song())
    world.restart(off=timedelta(hours=25))
    assert world.records() == []


def test_a_new_node_does_not_report_what_was_over_before_it_came():
    world = World(now=after_noon(100))
    world.have(a_song())
    world.hold(a_song())
    world.restart(off=timedelta(seconds=5))
    assert world.records() == []


def test_two_programmes_one_after_the_other_change_at_the_planned_instant():
    after = a_song(claim_id="tin-2", start=after_noon(60), end=after_noon(120))
    world = a_world(a_song(), after)
    world.run_to(after_noon(130))
    assert world.heard == [
        ("tin-1", after_noon(0), after_noon(60)),
        ("tin-2", after_noon(60), after_noon(120)),
    ]
    assert [record.outcome for record in world.records()] == [Outcome.PLAYED] * 2


def test_a_programme_that_ends_by_itself_leaves_the_next_one_cued():
    after = a_song(claim_id="tin-2", start=after_noon(61), end=after_noon(121))
    world = a_world(a_song(), after)
    world.run_to(after_noon(130))
    assert [cue.key for cue in world.cues] == [key_of(a_song()), key_of(after)]
    assert world.hushes == 0


def test_the_player_itself_ends_a_programme_where_quiet_hours_begin():
    quiet = Policy(quiet=(Interval(start=after_noon(10), end=after_noon(50)),))
    world = World()
    world.have(a_song())
    world.hold(a_song(), policy=quiet)
    assert world.now < after_noon(-2)
    world.run_to(after_noon(-1))
    assert world.waiting.length_s == 10


@pytest.mark.parametrize("looked_at_s", [[], [2], [2.5], [2, 2.5]])
def test_a_pause_that_quiet_hours_make_the_last_is_not_told_as_heard(looked_at_s):
    # Two seconds of sound, two of pause, two of sound; it is quiet from 3 to 4.
    twice = a_song(content=Content(items=(an_asset("short", duration_s=2.0),), repeat=2, gap_s=2.0))
    quiet = Policy(quiet=(Interval(start=after_noon(3), end=after_noon(4)),))
    world = World()
    world.have(twice)
    world.hold(twice, policy=quiet)
    for moment_s in looked_at_s:
        world.run_to(after_noon(moment_s))
        world.take(Tick())
    world.run_to(after_noon(70))
    assert stretches(world.record("tin-1")) == [(0, 2, 0), (4, 6, 4)]


def test_a_plan_that_comes_again_leaves_a_resumed_programme_where_it_resumes():
    song = a_song(end=after_noon(50), when_cut=WhenCut.RESUME)
    quiet = Policy(quiet=(Interval(start=after_noon(0), end=after_noon(1)),))
    world = World()
    world.have(song)
    world.hold(song, policy=quiet)
    world.run_to(after_noon(0.9))
    world.hold(song, policy=quiet)
    world.run_to(after_noon(1))
    world.hold(song, policy=quiet)
    world.run_to(after_noon(70))
    assert stretches(world.record("tin-1")) == [(1, 50, 0)]


def test_a_programme_that_returns_is_heard_although_the_next_begins_within_the_horizon():
    after = a_song(
        claim_id="tin-2",
        start=after_noon(35),
        end=after_noon(95),
        bulletin_class=BulletinClass.PRIORITY,
    )
    world = a_world(a_song(), an_alarm(20), after)
    world.run_to(after_noon(100))
    assert world.at(after_noon(34)) == "tin-1"
    assert world.at(after_noon(35)) == "tin-2"


def test_what_was_cued_ahead_gives_way_to_something_urgent_before_it_begins():
    after = a_song(claim_id="tin-2", start=after_noon(60), end=after_noon(120))
    alarm = an_alarm(59)
    world = a_world(a_song(), after)
    world.run_to(after_noon(58.5))
    assert world.waiting.key == key_of(after)
    world.have(a_song(), after, alarm)
    world.hold(a_song(), after, alarm)
    world.run_to(after_noon(130))
    assert world.at(after_noon(58.9)) == "tin-1"
    assert world.at(after_noon(61)) == "khan-1"
    assert stretches(world.record("tin-2")) == [(72, 120, 12)]


def test_a_priority_item_waits_while_an_emergency_sounds_then_starts_from_its_beginning():
    notice = an_alarm(25, claim_id="uu-tien", bulletin_class=BulletinClass.PRIORITY)
    world = a_world(an_alarm(20), notice)
    world.run_to(after_noon(100))
    began = 33 + CUE_LEAD.total_seconds()
    assert stretches(world.record("uu-tien")) == [(began, began + 13, 0)]
    assert world.record("uu-tien").outcome is Outcome.PLAYED


def test_the_position_is_told_with_the_start():
    world = World(now=after_noon(25))
    world.have(a_song())
    world.hold(a_song())
    world.run_to(after_noon(26))
    (started,) = [word for word in world.told if isinstance(word, Started)]
    assert (started.position_s, seconds(started.at)) == (25, 25)


def test_a_step_without_news_orders_nothing():
    world = a_world(a_song())
    world.run_to(after_noon(5))
    cues, hushes = len(world.cues), world.hushes
    world.take(Tick())
    world.have(a_song())
    world.hold(a_song())
    assert (len(world.cues), world.hushes) == (cues, hushes)


@pytest.mark.parametrize("gone_s", [5.0, 25.0])
def test_a_file_that_vanishes_silences_until_it_is_there_again(gone_s):
    song = a_song()
    world = a_world(song)
    world.run_to(after_noon(gone_s))
    world.take(OnDisk(frozenset()))
    world.run_to(after_noon(gone_s + 3))
    world.take(OnDisk(files_of(song)))
    world.run_to(after_noon(70))
    assert stretches(world.record("tin-1")) == [(0, gone_s, 0), (gone_s + 3, 60, gone_s + 3)]
    assert all(isinstance(record, AsRun) for record in world.records())
    assert changed(world.state).on_air == ""


FIRST, SECOND = an_asset("bai 1", duration_s=20.0), an_asset("bai 2", duration_s=40.0)


def a_list(**overrides: object):
    return a_song(**{"content": Content(items=(FIRST, SECOND)), **overrides})


def a_higher(start_s=10.0, **overrides: object):
    """A programme of the province, of ten seconds, which wins against the commune's."""
    return a_song(
        **{
            "claim_id": "tinh",
            "unit": PROVINCE,
            "level": 0,
            "start": after_noon(start_s),
            "end": after_noon(start_s + 30),
            "content": Content(items=(SPEECH,)),
            **overrides,
        }
    )


def a_relay(**overrides: object):
    return a_song(**{"content": Content(relay=Relay(url=URL)), **overrides})


def test_one_that_waits_is_cued_ahead_to_where_the_file_ends_and_is_heard_whole():
    waits = a_higher(start_mode=StartMode.WAIT, wait_s=15.0)
    world = a_world(a_list(), waits)
    world.run_to(after_noon(19))
    assert (world.waiting.key, world.waiting.begins) == (key_of(waits), after_noon(20))
    world.run_to(after_noon(70))
    assert stretches(world.record("tinh")) == [(20, 30, 0)]
    assert world.record("tinh").outcome is Outcome.PLAYED
    assert stretches(world.record("tin-1")) == [(0, 20, 0), (30, 60, 30)]


def test_one_whose_patience_is_over_cuts_the_file_that_sounds():
    waits = a_higher(start_mode=StartMode.WAIT, wait_s=4.0)
    world = a_world(a_list(), waits)
    world.run_to(after_noon(70))
    assert stretches(world.record("tinh")) == [(14, 24, 0)]


def test_one_that_could_never_begin_is_missed_and_says_behind_what():
    waits = a_higher(21.0, end=after_noon(50), start_mode=StartMode.NEXT)
    world = a_world(a_list(), waits)
    world.run_to(after_noon(70))
    record = world.record("tinh")
    assert (record.outcome, record.reason) == (Outcome.MISSED, "waited-for:tin-1")
    assert world.record("tin-1").outcome is Outcome.PLAYED


def test_an_emergency_lets_go_of_one_that_waits_which_is_then_heard_by_the_clock():
    waits = a_higher(start_mode=StartMode.NEXT)
    alarm = an_alarm(12, content=Content(items=(an_asset("khan", duration_s=4.0),)))
    world = a_world(a_list(), waits)
    world.run_to(after_noon(11))
    world.have(a_list(), waits, alarm)
    world.hold(a_list(), waits, alarm)
    world.run_to(after_noon(70))
    assert stretches(world.record("tinh")) == [(16, 22, 4)]
    assert world.record("tinh").reason == "preempted:khan-1"


def test_one_that_has_begun_keeps_its_beginning_whatever_becomes_of_what_it_waited_for():
    waits = a_higher(start_mode=StartMode.NEXT)
    world = a_world(a_list(), waits)
    world.run_to(after_noon(22))
    world.hold(waits)
    world.run_to(after_noon(70))
    assert stretches(world.record("tinh")) == [(20, 30, 0)]


def test_one_that_waits_is_heard_whole_from_the_instant_of_the_stop():
    waits = a_higher(start_mode=StartMode.NEXT)
    world = a_world(a_list(), waits)
    world.run_to(after_noon(17))
    world.hold(a_list(), waits, stopped=(a_list(),))
    world.run_to(after_noon(70))
    assert stretches(world.record("tinh")) == [(17, 27, 0)]


def test_a_stop_that_came_late_is_followed_from_the_instant_at_which_it_was_ordered():
    waits = a_higher(start_mode=StartMode.NEXT)
    world = a_world(a_list(), waits)
    world.run_to(after_noon(18))
    world.hold(a_list(), waits, stopped=(a_list(),), stopped_at=after_noon(16))
    world.run_to(after_noon(70))
    ((_, end, position_s),) = stretches(world.record("tinh"))
    assert (end, position_s) == (26, pytest.approx(2, abs=0.2))


def test_a_node_killed_while_it_waits_begins_where_its_neighbours_do():
    waits = a_higher(start_mode=StartMode.NEXT)
    world = a_world(a_list(), waits)
    world.run_to(after_noon(12))
    world.restart(off=timedelta(seconds=2))
    world.run_to(after_noon(70))
    assert stretches(world.record("tinh")) == [(20, 30, 0)]


def test_a_content_longer_than_its_time_is_played_to_the_end_of_its_time():
    world = a_world(a_song(end=after_noon(45)))
    world.run_to(after_noon(1))
    assert world.sounding.length_s == 45
    world.run_to(after_noon(70))
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.PLAYED, "")
    assert stretches(record) == [(0, 45, 0)]


def test_a_content_longer_than_its_time_that_began_late_is_cut():
    world = World(now=after_noon(25))
    world.have(a_song(end=after_noon(45)))
    world.hold(a_song(end=after_noon(45)))
    world.run_to(after_noon(70))
    assert (world.record("tin-1").outcome, world.record("tin-1").reason) == (Outcome.CUT, "late")


def test_after_a_content_shorter_than_its_time_what_it_displaced_returns():
    world = a_world(a_list(), a_higher())
    world.run_to(after_noon(70))
    assert world.at(after_noon(19)) == "tinh"
    assert world.at(after_noon(21)) == "tin-1"
    assert world.record("tinh").outcome is Outcome.PLAYED


def test_after_a_content_shorter_than_its_time_the_amplifier_goes_off():
    world = a_world(a_song(end=after_noon(300)))
    world.run_to(after_noon(310))
    assert [(seconds(at), on) for at, on in world.powered] == [(0, True), (60, False)]


def test_a_relay_is_tuned_in_ahead_and_heard_for_all_its_time():
    world = a_world(a_relay())
    world.run_to(after_noon(-5.5))
    assert world.waiting.pieces == (CuedRelay(URL, 0.0, 60.0),)
    assert not world.powered
    world.run_to(after_noon(70))
    assert stretches(world.record("tin-1")) == [(0, 60, 0)]
    assert world.record("tin-1").outcome is Outcome.PLAYED


def test_a_relay_returns_at_once_after_an_emergency_for_it_was_tuned_in_ahead():
    world = a_world(a_relay(), an_alarm())
    world.run_to(after_noon(28))
    assert (world.waiting.key, world.waiting.begins) == (key_of(a_relay()), after_noon(33))
    world.run_to(after_noon(70))
    assert world.at(after_noon(32.9)) == "khan-1"
    assert world.at(after_noon(33)) == "tin-1"
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "preempted:khan-1")
    assert stretches(record) == [(0, 20, 0), (33, 60, 33)]
    assert len([word for word in world.told if isinstance(word, Preempted)]) == 1


def test_a_relay_returns_at_once_when_the_emergency_is_stopped():
    alarm = an_alarm()
    world = a_world(a_relay(), alarm)
    world.run_to(after_noon(30))
    world.hold(a_relay(), alarm, stopped=(alarm,))
    world.run_to(after_noon(70))
    assert world.at(after_noon(30.1)) == "tin-1"
    assert stretches(world.record("tin-1")) == [(0, 20, 0), (30, 60, 30)]


def test_a_relay_that_falls_silent_keeps_the_loudspeakers_and_is_recorded_as_it_was_heard():
    lower = a_song(claim_id="tin-2", level=2)
    world = a_world(a_relay(level=0), lower)
    world.run_to(after_noon(20))
    world.take(Stalled(key_of(a_relay()), after_noon(20), Stall.LOST))
    world.run_to(after_noon(25))
    assert world.sounding.key == key_of(a_relay())
    world.take(SoundStarted(key_of(a_relay()), after_noon(30), 30.0))
    world.run_to(after_noon(70))
    record = world.record("tin-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "relay-lost")
    assert stretches(record) == [(0, 20, 0), (30, 60, 30)]
    assert len([word for word in world.told if isinstance(word, Started)]) == 1


def test_a_relay_that_was_never_heard_has_failed_and_says_the_last_that_is_known():
    world = a_world(a_relay())
    world.run_to(after_noon(-0.5))
    world.waiting = None
    world.take(Stalled(key_of(a_relay()), after_noon(1), Stall.NO_ANSWER))
    world.take(Stalled(key_of(a_relay()), after_noon(5), Stall.REFUSED))
    world.run_to(after_noon(70))
    record = world.record("tin-1")
    assert (record.outcome, record.reason, record.segments) == (
        Outcome.FAILED,
        "relay-refused",
        (),
    )


def test_a_relay_that_comes_late_joins_now():
    world = World(now=after_noon(25))
    world.hold(a_relay())
    assert world.cues[0].begins == after_noon(25)
    world.run_to(after_noon(70))
    assert stretches(world.record("tin-1")) == [(25, 60, 25)]
    assert world.record("tin-1").reason == "late"


def test_a_claim_that_lasts_a_year_wants_the_loudspeakers_for_its_content_and_no_longer():
    year = a_song(end=after_noon(365 * 86_400))
    world = a_world(year, a_song(claim_id="tin-2", start=after_noon(60), end=after_noon(120)))
    world.run_to(after_noon(130))
    assert world.at(after_noon(30)) == "tin-1"
    assert world.at(after_noon(90)) == "tin-2"
    assert world.record("tin-1").outcome is Outcome.PLAYED


@pytest.mark.parametrize("kind", [ClaimKind.SCHEDULED, ClaimKind.ANNOUNCEMENT])
@pytest.mark.parametrize(("start", "end"), [(NOON, LATEST), (EARLIEST, NOON), (LATEST, LATEST)])
def test_what_follows_the_longest_claim_there_can_be_is_heard(kind, start, end):
    endless = a_song(kind=kind, start=start, end=end)
    world = a_world(endless, a_song(claim_id="tin-2", start=after_noon(60), end=after_noon(120)))
    world.run_to(after_noon(130))
    assert world.at(after_noon(90)) == "tin-2"
    world.hold()
    world.run_to(after_noon(200))


def test_a_relay_that_lasts_a_year_gives_way_to_what_goes_before_it():
    relay = a_song(end=after_noon(365 * 86_400), content=Content(relay=Relay(url=URL)))
    world = a_world(relay, an_alarm())
    world.run_to(after_noon(40))
    assert world.at(after_noon(25)) == "khan-1"
    assert world.state.on_air == "tin-1"
