"""What must hold of the loudspeakers whatever is claimed, in whatever order it arrives."""

import dataclasses
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.playout import Tick
from edge.runs import PIECE_LEAD
from protocol.messages import (
    BulletinClass,
    Mode,
    Outcome,
)
from protocol.plan import timeline
from tests.factories.playouts import World, after_noon, courses, rules

HORIZON_S = 150

moments = st.integers(-5, 110).map(float)


def next_moment(at):
    """The last tenth of a second of what begins at an instant.

    What comes late begins a moment later on a node, so a chain of announcements lags by several.
    """
    return at.replace(microsecond=0) + timedelta(seconds=0.9)


def world_of(some, policy):
    world = World()
    world.have(*some)
    world.hold(*some, policy=policy)
    world.run_to(after_noon(HORIZON_S))
    return world


def records_of(world):
    return {
        record.claim_id: (record.outcome, record.reason, record.segments)
        for record in world.records()
    }


def assert_heard(world, spans):
    """Compare what was heard with a timeline, once in every second."""
    for span in spans:
        moment = next_moment(span.start)
        while moment < span.end:
            heard = world.at(moment)
            pauses = span.claim is not None and span.claim.content.gap_s > 0
            assert heard == (span.claim.claim_id if span.claim else "") or (not heard and pauses)
            moment += timedelta(seconds=1)


@given(courses, rules)
def test_what_is_heard_at_any_instant_is_what_the_shared_timeline_says(some, policy):
    world = world_of(some, policy)
    assert_heard(world, timeline(some, policy, after_noon(0), after_noon(HORIZON_S)))


@given(courses, rules, moments, st.data())
def test_after_a_stop_too_what_is_heard_is_what_the_shared_timeline_says(
    some, policy, stopped_s, data
):
    stopped = data.draw(st.sampled_from(some))
    world = World()
    world.have(*some)
    world.hold(*some, policy=policy)
    world.run_to(after_noon(stopped_s))
    world.hold(*some, policy=policy, stopped=(stopped,))
    world.run_to(after_noon(HORIZON_S))
    stops = {(stopped.unit, stopped.claim_id): after_noon(stopped_s)}
    spans = timeline(some, dataclasses.replace(policy, stops=stops), after_noon(0), world.now)
    assert_heard(world, spans)


@given(courses, rules, st.randoms(use_true_random=False), st.lists(moments, max_size=8))
def test_the_order_of_arrival_and_repetition_change_nothing(some, policy, random, repeats):
    shuffled = list(some)
    random.shuffle(shuffled)
    world = World()
    for number in range(len(shuffled)):
        world.hold(*shuffled[: number + 1], policy=policy)
        world.have(*shuffled[: number + 1])
    for moment in sorted(repeats):
        world.run_to(after_noon(moment))
        world.hold(*random.sample(shuffled, len(shuffled)), policy=policy)
        world.have(*shuffled)
        world.take(Tick())
    world.run_to(after_noon(HORIZON_S))
    assert records_of(world) == records_of(world_of(some, policy))


@given(courses, rules, moments)
def test_each_claim_ends_in_exactly_one_record(some, policy, killed_s):
    world = World()
    world.have(*some)
    world.hold(*some, policy=policy)
    world.run_to(after_noon(killed_s))
    world.restart(off=timedelta(seconds=4), alive=timedelta(seconds=0.7))
    world.run_to(after_noon(HORIZON_S + 10))
    assert sorted(record.claim_id for record in world.records()) == sorted(
        claim.claim_id for claim in some
    )
    assert not world.state.runs
    for record in world.records():
        assert all(segment.start < segment.end for segment in record.segments)
        for before, after in pairwise(record.segments):
            assert before.end <= after.start
        assert bool(record.segments) == (record.outcome not in {Outcome.MISSED, Outcome.FAILED})


@given(courses, rules)
def test_nothing_but_a_real_emergency_breaks_quiet_hours(some, policy):
    world = world_of(some, policy)
    may_pierce = {
        claim.claim_id
        for claim in some
        if claim.bulletin_class is BulletinClass.EMERGENCY and claim.mode is Mode.REAL
    }
    for claim_id, start, end in world.heard:
        for quiet in policy.quiet:
            overlaps = start < quiet.end and quiet.start < end
            assert not overlaps or claim_id in may_pierce


@given(courses, rules, moments, st.data())
def test_a_stop_is_final(some, policy, stopped_s, data):
    stopped = data.draw(st.sampled_from(some))
    world = World()
    world.have(*some)
    world.hold(*some, policy=policy)
    world.run_to(after_noon(stopped_s))
    world.hold(*some, policy=policy, stopped=(stopped,))
    world.hold(*some, policy=policy, stopped=(stopped,))
    world.run_to(after_noon(HORIZON_S))
    # What comes late in its place needs a moment, and that much of it is still heard.
    assert all(
        end <= after_noon(stopped_s) + PIECE_LEAD
        for claim_id, _start, end in world.heard
        if claim_id == stopped.claim_id
    )
    assert len([r for r in world.records() if r.claim_id == stopped.claim_id]) == 1


@given(courses, rules)
def test_the_records_tell_what_was_heard(some, policy):
    # A pause between two turns is a part of the content, and of the record.
    some = [replace(claim, content=replace(claim.content, gap_s=0.0)) for claim in some]
    world = world_of(some, policy)
    told = sorted(
        (record.claim_id, segment.start, segment.end)
        for record in world.records()
        for segment in record.segments
    )
    assert _joined(told) == _joined(sorted(world.heard))


@given(courses, rules)
def test_the_amplifier_is_on_while_anything_is_heard_and_off_in_the_end(some, policy):
    world = world_of(some, policy)
    switched = [*world.powered, (after_noon(HORIZON_S), False)]
    for _claim_id, start, end in world.heard:
        assert any(
            on and at <= start and end <= off_at for (at, on), (off_at, _off) in pairwise(switched)
        )
    assert not world.state.amplified


def _joined(stretches):
    """Join what touches: opening and speech are two files of one sound."""
    joined = []
    for claim_id, start, end in stretches:
        if joined and joined[-1][::2] == (claim_id, start):
            joined[-1] = (claim_id, joined[-1][1], end)
        else:
            joined.append((claim_id, start, end))
    return joined
