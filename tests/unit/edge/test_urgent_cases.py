"""What becomes of announcements that meet each other, a drill, or a node that was away."""

from datetime import timedelta

import pytest

from protocol.messages import BulletinClass, Content, Mode, Outcome, Severity
from protocol.policy import EVER, Policy, Silence
from tests.factories.claims import an_announcement, an_asset
from tests.factories.playouts import World, after_noon

SPEECH_S, CHIME_S = 20.0, 4.0
CHIME = an_asset("chuong", duration_s=CHIME_S)


def an_alarm(name="khan-1", start_s=0.0, end_s=120.0, **overrides: object):
    """An emergency: a chime, then twenty seconds of its own speech."""
    speech = an_asset(f"loi cua {name}", duration_s=SPEECH_S)
    return an_announcement(
        **{
            "claim_id": name,
            "start": after_noon(start_s),
            "end": after_noon(end_s),
            "issued_at": after_noon(start_s),
            "content": Content(items=(speech,), opening=CHIME),
            **overrides,
        }
    )


def a_node(*claims: object):
    world = World()
    world.have(*claims)
    return world


def names(world):
    return [name for name, _start, _end in world.heard]


@pytest.mark.parametrize("order", [1, -1])
def test_a_graver_emergency_cuts_a_lesser_one_that_came_later_and_then_lets_it_return(order):
    grave = an_alarm("khan-nang", 5, severity=Severity.EXTREME)
    lesser = an_alarm("khan-nhe", 8, severity=Severity.MODERATE)
    world = a_node(grave, lesser)
    world.run_to(after_noon(10))
    world.hold(*[grave, lesser][::order])
    world.run_to(after_noon(80))
    assert names(world) == ["khan-nang", "khan-nhe"]
    assert world.record("khan-nang").outcome is Outcome.PLAYED
    assert world.record("khan-nhe").outcome is Outcome.PLAYED


def test_of_equally_grave_emergencies_the_later_one_is_heard_at_once():
    first, second = an_alarm("khan-1", 0), an_alarm("khan-2", 10)
    world = a_node(first, second)
    world.hold(first)
    world.run_to(after_noon(10))
    world.hold(first, second)
    world.run_to(after_noon(12))
    assert world.at(after_noon(11)) == "khan-2"
    world.run_to(after_noon(80))
    # By then the clock has passed the end of the first.
    assert (world.record("khan-1").outcome, world.record("khan-1").reason) == (
        Outcome.CUT,
        "preempted:khan-2",
    )


@pytest.mark.parametrize("bulletin_class", [BulletinClass.PRIORITY, BulletinClass.EMERGENCY])
def test_a_drill_does_not_disturb_what_is_meant_and_what_is_meant_cuts_a_drill(bulletin_class):
    real = an_alarm("that", 10, bulletin_class=bulletin_class)
    drill = an_alarm("tap", 0, mode=Mode.DRILL, severity=Severity.EXTREME)
    late_drill = an_alarm("tap-2", 15, mode=Mode.DRILL, severity=Severity.EXTREME)
    world = a_node(real, drill, late_drill)
    world.hold(drill)
    world.run_to(after_noon(10))
    world.hold(drill, real)
    world.run_to(after_noon(15))
    world.hold(drill, real, late_drill)
    world.run_to(after_noon(34))
    assert world.at(after_noon(9)) == "tap"
    assert all(world.at(after_noon(10.2 + second)) == "that" for second in range(23))
    world.run_to(after_noon(125))
    assert world.record("that").outcome is Outcome.PLAYED
    assert world.record("tap").segments[0].end == after_noon(10)


def test_a_drill_that_was_cut_never_goes_on_in_its_middle_where_nobody_could_tell_what_it_is():
    real = an_alarm("that", 10)
    drill, short = (
        an_alarm(name, 0, end, mode=Mode.DRILL) for name, end in (("d", 300), ("n", 50))
    )
    back, over, restarted = a_node(real, drill), a_node(real, short), a_node(drill)
    for world, rehearsed in ((back, drill), (over, short)):
        world.hold(rehearsed)
        world.run_to(after_noon(10))
        world.hold(rehearsed, real)
        world.run_to(after_noon(310))
    first, again = back.record("d").segments
    assert first.end == after_noon(10)
    # Behind the real thing it begins anew, with the chime and what says that it is a drill.
    assert again.position_s == 0
    assert again.start >= after_noon(10 + CHIME_S + SPEECH_S)
    assert back.record("d").outcome is Outcome.PLAYED
    # No time is left to say it whole.
    assert names(over) == ["n", "that"]
    assert (over.record("n").outcome, over.record("n").reason) == (Outcome.CUT, "preempted:that")
    restarted.hold(drill)
    restarted.run_to(after_noon(10))
    restarted.restart(off=timedelta(seconds=3))
    restarted.run_to(after_noon(310))
    assert [part.position_s for part in restarted.record("d").segments] == [0, 0]


def test_a_drill_begun_anew_and_cut_again_has_not_been_heard_whole():
    drill = an_alarm("d", 0, 300, mode=Mode.DRILL)
    reals = (an_alarm("that-1", 20, 45), an_alarm("that-2", 60, 300))
    world = a_node(drill, *reals)
    world.hold(drill)
    world.run_to(after_noon(20))
    world.hold(drill, reals[0])
    world.run_to(after_noon(60))
    world.hold(drill, *reals, stopped=(drill,))
    world.run_to(after_noon(90))
    assert len(world.record("d").segments) == 2
    assert world.record("d").outcome is Outcome.STOPPED


def test_a_drill_that_is_silenced_and_has_no_time_to_begin_anew_is_told_of_though_nothing_follows():
    drill = an_alarm("d", 0, 30, mode=Mode.DRILL)
    silence = Silence("im-1", drill.unit, after_noon(10), EVER, spares_emergencies=False)
    world = a_node(drill)
    world.hold(drill, policy=Policy(silences=(silence,)))
    world.run_to(after_noon(40))
    assert (world.record("d").outcome, world.record("d").reason) == (Outcome.CUT, "hushed")
    assert not world.state.runs


def test_an_announcement_that_expired_while_the_node_was_off_is_never_heard():
    alarm = an_alarm(start_s=5, end_s=40)
    world = a_node(alarm)
    world.hold(alarm)
    world.run_to(after_noon(2))
    world.restart(off=timedelta(seconds=60))
    world.run_to(after_noon(200))
    assert world.heard == []
    record = world.record("khan-1")
    assert (record.outcome, record.reason) == (Outcome.MISSED, "node-off")


def test_an_announcement_that_comes_too_late_to_end_in_its_time_is_not_begun():
    alarm = an_alarm(start_s=0, end_s=40)
    world = a_node(alarm)
    world.run_to(after_noon(30))
    world.hold(alarm)
    world.run_to(after_noon(100))
    assert world.heard == []
    assert world.record("khan-1").outcome is Outcome.MISSED


def test_a_node_that_comes_back_within_the_opening_is_in_step_and_a_later_one_begins_anew():
    alarm = an_alarm(start_s=0, end_s=120)
    in_step, later = a_node(alarm), a_node(alarm)
    in_step.run_to(after_noon(2))
    in_step.hold(alarm)
    in_step.run_to(after_noon(60))
    assert in_step.record("khan-1").segments[-1].end == after_noon(CHIME_S + SPEECH_S)
    later.run_to(after_noon(15))
    later.hold(alarm)
    later.run_to(after_noon(60))
    (segment,) = later.record("khan-1").segments
    assert segment.position_s == 0
    assert segment.start > after_noon(15)
    assert (segment.end - segment.start).total_seconds() == pytest.approx(CHIME_S + SPEECH_S)


def test_a_node_that_was_off_in_the_middle_of_an_announcement_goes_on_where_the_clock_says():
    alarm = an_alarm()
    world = a_node(alarm)
    world.hold(alarm)
    world.run_to(after_noon(8))
    world.restart(off=timedelta(seconds=4))
    world.run_to(after_noon(60))
    last = world.record("khan-1").segments[-1]
    assert last.end == after_noon(CHIME_S + SPEECH_S)
    assert last.position_s == pytest.approx((last.start - after_noon(0)).total_seconds(), abs=0.01)


def test_an_order_told_again_while_and_after_it_sounds_is_heard_and_recorded_once():
    alarm = an_alarm()
    world = a_node(alarm)
    for second in (0, 1, 12, 40, 70):
        world.run_to(after_noon(second))
        world.hold(alarm)
    world.run_to(after_noon(130))
    assert names(world) == ["khan-1"]
    assert world.record("khan-1").outcome is Outcome.PLAYED
