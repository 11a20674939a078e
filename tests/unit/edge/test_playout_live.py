"""Somebody who speaks has the loudspeakers for as long as the rules give them."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.playout import LiveOver, OnDisk
from edge.runs import TONE_S, CuedMicrophone, key_of
from protocol.airtime import airtimes
from protocol.messages import (
    BulletinClass,
    Claim,
    FrameTally,
    Mode,
    Outcome,
    Severity,
    StartMode,
)
from protocol.policy import Policy
from tests.factories.claims import a_claim, an_announcement, an_asset, an_interval
from tests.factories.live import a_live_claim, a_live_source
from tests.factories.playouts import World, after_noon, files_of

LABEL = an_asset("day la dien tap", duration_s=4.0)
FRAMES = FrameTally(heard=500, late=2, missing=3)
SPEAKS = a_live_claim(start=after_noon(0), end=after_noon(70))
MUSIC = a_claim(claim_id="nhac", start=after_noon(-60), end=after_noon(600))


def a_world(*claims: Claim, have=None):
    world = World(now=after_noon(-5))
    world.have(*(claims if have is None else have))
    world.hold(*claims)
    return world


def over(world, claim, at_s, cause=""):
    world.run_to(after_noon(at_s - TONE_S))
    world.take(LiveOver(key_of(claim), after_noon(at_s), cause, FRAMES))


def a_drill():
    return a_live_claim(source=a_live_source(label=LABEL), mode=Mode.DRILL)


def says_first_what_it_is(world):
    """The chime, the label, and only then who speaks."""
    pieces = world.cues[-1].pieces
    assert [piece.offset_s for piece in pieces] == [0.0, 3.0, 7.0]
    assert isinstance(pieces[-1], CuedMicrophone)


def test_the_chime_comes_first_then_the_microphone_then_the_programme_again():
    world = a_world(SPEAKS, MUSIC)
    over(world, SPEAKS, 20)
    world.run_to(after_noon(40))
    assert [world.at(after_noon(second)) for second in (-1, 1, 10, 19, 21)] == [
        *("nhac", "noi-1", "noi-1", "noi-1", "nhac"),
    ]
    cued = (piece for cue in world.cues for piece in cue.pieces)
    assert next(p for p in cued if isinstance(p, CuedMicrophone)).offset_s == 3.0


def test_the_record_of_one_spoken_to_its_end_says_played_and_how_its_frames_came():
    world = a_world(SPEAKS)
    over(world, SPEAKS, 20)
    world.run_to(after_noon(40))
    record = world.record("noi-1")
    assert (record.outcome, record.reason) == (Outcome.PLAYED, "")
    assert record.frames == FRAMES
    assert record.segments[-1].end == after_noon(20)


def test_one_that_broke_off_says_so_and_gives_the_loudspeakers_back():
    world = a_world(SPEAKS, MUSIC)
    over(world, SPEAKS, 20, "live-lost")
    world.run_to(after_noon(40))
    record = world.record("noi-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "live-lost")
    assert world.at(after_noon(30)) == "nhac"


def a_follower(**facts: object) -> Claim:
    """Make a programme from above that waits for who speaks in a commune."""
    wanted = {"unit": "tinh", "level": 0, "claim_id": "tinh-1", "start_mode": StartMode.NEXT}
    lasts = {"start": after_noon(10), "end": after_noon(100)}
    return a_claim(**{**wanted, **lasts, **facts})


def test_what_waits_for_who_speaks_begins_as_soon_as_they_have_ended():
    speaks = replace(SPEAKS, bulletin_class=BulletinClass.ORDINARY)
    follows = a_follower()
    world = a_world(speaks, follows)
    over(world, speaks, 20)
    world.run_to(after_noon(101))
    assert [world.at(after_noon(second)) for second in (9, 15, 21, 60)] == [
        *("noi-1", "noi-1", "tinh-1", "tinh-1"),
    ]
    # It is heard from its beginning.
    assert world.record("tinh-1").segments[0].position_s == 0


@given(st.integers(4, 60), st.integers(4, 60), st.booleans())
def test_nodes_and_server_tell_alike_when_what_waited_for_who_speaks_begins(due_s, ends_s, again):
    speaks = replace(SPEAKS, bulletin_class=BulletinClass.ORDINARY, end=after_noon(100))
    follows = a_follower(start=after_noon(due_s), end=after_noon(due_s + 200))
    world = a_world(speaks, follows)
    over(world, speaks, ends_s)
    if again:
        world.hold(speaks, follows)
    stops = {(speaks.unit, speaks.claim_id): after_noon(ends_s)}
    told = airtimes((speaks, follows), Policy(stops=stops))
    assert [(one.start, one.end) for one in world.state.times.values()] == [
        (one.start, one.end) for one in told
    ]
    world.run_to(after_noon(due_s + 201))
    assert world.record("tinh-1").segments[0].start == max(after_noon(due_s), after_noon(ends_s))


def test_the_longest_time_is_kept_by_the_node_itself():
    short = a_live_claim(source=a_live_source(max_length_s=10.0))
    world = a_world(short, MUSIC)
    world.run_to(after_noon(60))
    record = world.record("noi-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "live-too-long")
    assert record.segments[-1].end == after_noon(3 + 10 + TONE_S)
    assert world.at(after_noon(20)) == "nhac"


def test_a_node_that_comes_late_hears_the_chime_and_joins():
    world = World(now=after_noon(30))
    world.have(SPEAKS)
    world.hold(SPEAKS)
    over(world, SPEAKS, 50)
    world.run_to(after_noon(60))
    record = world.record("noi-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "late")
    assert world.at(after_noon(40)) == "noi-1"


def test_a_node_that_joins_a_drill_late_says_first_that_it_is_one():
    drill = a_drill()
    late = World(now=after_noon(30))
    late.take(OnDisk(files_of(drill)))
    late.hold(drill)
    late.run_to(after_noon(40))
    # It waits for the label: nobody could tell the words from real ones.
    assert not late.cues
    late.take(OnDisk(files_of(drill) | {LABEL.digest}))
    late.run_to(after_noon(45))
    says_first_what_it_is(late)


def test_a_node_that_starts_again_in_the_middle_of_a_drill_says_again_that_it_is_one():
    drill = a_drill()
    world = a_world(drill)
    world.take(OnDisk(files_of(drill) | {LABEL.digest}))
    world.run_to(after_noon(30))
    world.restart(timedelta(seconds=3))
    world.run_to(after_noon(50))
    says_first_what_it_is(world)
    over(world, drill, 60)
    world.run_to(after_noon(80))
    record = world.record("noi-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "restarted")
    assert len(record.segments) == 2


def test_a_drill_that_comes_back_behind_something_real_says_again_that_it_is_one():
    drill = a_drill()
    real = _lasting(an_announcement(claim_id="lu", start=after_noon(20), end=after_noon(300)), 5.0)
    world = a_world(drill, real)
    world.take(OnDisk(files_of(drill, real) | {LABEL.digest}))
    world.run_to(after_noon(40))
    assert [world.at(after_noon(second)) for second in (19, 22, 30)] == ["noi-1", "lu", "noi-1"]
    says_first_what_it_is(world)


def test_a_node_that_is_there_hears_the_label_from_who_speaks_alone():
    drill = a_drill()
    world = a_world(drill)
    world.take(OnDisk(files_of(drill) | {LABEL.digest}))
    world.run_to(after_noon(10))
    assert [piece.offset_s for piece in world.cues[-1].pieces] == [0.0, 3.0]


def test_a_graver_emergency_takes_over_and_the_one_who_speaks_is_joined_again():
    graver = an_announcement(
        claim_id="lu",
        start=after_noon(10),
        end=after_noon(400),
        issued_at=after_noon(10),
        severity=Severity.EXTREME,
    )
    graver = _lasting(graver, 5.0)
    world = a_world(SPEAKS, graver)
    over(world, SPEAKS, 30)
    world.run_to(after_noon(50))
    heard = [world.at(after_noon(second)) for second in (5, 12, 20)]
    assert heard == ["noi-1", "lu", "noi-1"]
    record = world.record("noi-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "preempted:lu")
    # It is joined where the clock is: the chime does not come a second time.
    assert record.segments[-1].position_s > 14


def test_one_that_never_got_the_loudspeakers_ends_all_the_same():
    graver = _lasting(an_announcement(claim_id="lu", severity=Severity.EXTREME), 60.0)
    world = a_world(SPEAKS, graver)
    over(world, SPEAKS, 30)
    world.run_to(after_noon(40))
    record = world.record("noi-1")
    assert (record.outcome, record.reason) == (Outcome.MISSED, "preempted:lu")


def test_a_stop_is_final_at_once():
    world = a_world(SPEAKS, MUSIC)
    world.run_to(after_noon(10))
    world.hold(SPEAKS, MUSIC, stopped=(SPEAKS,))
    assert world.record("noi-1").outcome is Outcome.STOPPED
    world.take(LiveOver(key_of(SPEAKS), after_noon(12), "", FRAMES))
    world.run_to(after_noon(60))
    assert world.record("noi-1").outcome is Outcome.STOPPED
    assert world.at(after_noon(30)) == "nhac"


def test_without_its_chime_on_disk_it_is_spoken_all_the_same():
    world = a_world(SPEAKS, have=())
    over(world, SPEAKS, 20)
    world.run_to(after_noon(30))
    assert world.record("noi-1").outcome is Outcome.PLAYED
    assert world.at(after_noon(10)) == "noi-1"


def test_frames_are_wanted_from_just_before_the_start_until_the_record_is_made():
    world = a_world(SPEAKS)
    wanted = []
    for second in (-3, -1, 10):
        world.run_to(after_noon(second))
        wanted.append(set(world.state.listens_to(world.now)))
    over(world, SPEAKS, 20)
    world.run_to(after_noon(21))
    wanted.append(set(world.state.listens_to(world.now)))
    assert wanted == [set(), {key_of(SPEAKS)}, {key_of(SPEAKS)}, set()]


def test_an_ordinary_live_broadcast_waits_for_its_hours_as_any_other():
    quiet = a_live_claim(bulletin_class=BulletinClass.ORDINARY)
    world = World(now=after_noon(-5))
    world.have(quiet)
    world.hold(quiet, policy=_quiet())
    world.run_to(after_noon(80))
    record = world.record("noi-1")
    assert (record.outcome, record.reason) == (Outcome.MISSED, "quiet-hours")
    assert not world.heard


def test_a_node_killed_in_the_middle_takes_up_the_rest_without_a_second_chime():
    world = a_world(SPEAKS)
    world.run_to(after_noon(10))
    world.restart(timedelta(seconds=3))
    over(world, SPEAKS, 30)
    world.run_to(after_noon(40))
    record = world.record("noi-1")
    assert (record.outcome, record.reason) == (Outcome.CUT, "restarted")
    assert world.cues[-1].begins == after_noon(0)


def _lasting(claim, seconds):
    item = replace(claim.content.items[0], duration_s=seconds)
    return replace(claim, content=replace(claim.content, items=(item,)))


def _quiet():
    return Policy(quiet=(an_interval(-1, 10),))
