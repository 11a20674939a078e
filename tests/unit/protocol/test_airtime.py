"""When a claim wants the loudspeakers: start modes, ends of contents, and what was cut."""

import dataclasses
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from protocol.airtime import Airtime, airtimes
from protocol.content import assets, layout, length_s
from protocol.messages import (
    BulletinClass,
    Claim,
    ClaimKind,
    Content,
    Interval,
    Mode,
    Relay,
    StartMode,
    WhenCut,
)
from protocol.plan import timeline
from protocol.policy import Policy
from tests.factories.claims import NO_RULES, PROVINCE, a_claim, an_announcement, an_asset
from tests.factories.playouts import after_noon, courses, rules

orders = st.randoms(use_true_random=False)

LIST = Content(items=tuple(an_asset(f"bai {k}", duration_s=40.0) for k in range(5)))
"""Files that end 40, 80, 120, 160 and 200 seconds after the first sample."""


def ours(**overrides: object) -> Claim:
    """The commune's own list, from noon to 12:05."""
    return a_claim(**{"end": after_noon(300), "content": LIST, **overrides})


def theirs(start_s=60.0, **overrides: object) -> Claim:
    """The province's programme of a minute, which wins against it, from 12:01 to 12:03."""
    return a_claim(
        **{
            "claim_id": "tinh",
            "unit": PROVINCE,
            "level": 0,
            "start": after_noon(start_s),
            "end": after_noon(start_s + 120),
            "content": Content(items=(an_asset("tinh", duration_s=60.0),)),
            **overrides,
        }
    )


def seconds(at):
    return (at - after_noon(0)).total_seconds()


def stretch_of(claim, *claims: Claim, policy=NO_RULES):
    """When a claim wants the loudspeakers among others, in seconds after noon, and behind what."""
    (time,) = [time for time in airtimes(claims, policy) if time.claim == claim]
    return seconds(time.start), seconds(time.end), time.behind


def heard(*claims: Claim, policy=NO_RULES):
    return [
        (seconds(span.start), span.claim.claim_id if span.claim else "")
        for span in timeline(claims, policy, after_noon(-10), after_noon(400))
    ]


def test_a_cut_begins_at_its_start_in_the_middle_of_a_file():
    theirs_cut = theirs(start_mode=StartMode.CUT)
    assert stretch_of(theirs_cut, ours(), theirs_cut) == (60, 120, "")


def test_a_wait_lets_the_file_that_sounds_end():
    waits = theirs(start_mode=StartMode.WAIT, wait_s=30.0)
    assert stretch_of(waits, ours(), waits) == (80, 140, "tin-1")
    assert heard(ours(), waits) == [
        (-10, ""),
        (0, "tin-1"),
        (80, "tinh"),
        (140, "tin-1"),
        (200, ""),
    ]


def test_a_wait_cuts_when_its_patience_is_over():
    waits = theirs(start_mode=StartMode.WAIT, wait_s=12.5)
    assert stretch_of(waits, ours(), waits) == (72.5, 132.5, "tin-1")


def test_next_begins_when_the_file_has_ended_however_long_that_takes():
    follows = theirs(41.0, start_mode=StartMode.NEXT)
    assert stretch_of(follows, ours(), follows) == (80, 140, "tin-1")
    single = ours(content=Content(items=(an_asset("le", duration_s=150.0),)))
    assert stretch_of(follows, single, follows) == (150, 161, "tin-1")


def test_what_can_never_begin_before_its_end_is_missed_and_says_behind_what():
    single = ours(content=Content(items=(an_asset("le", duration_s=290.0),)))
    follows = theirs(start_mode=StartMode.NEXT)
    (_, missed) = airtimes((single, follows), NO_RULES)
    assert missed == Airtime(follows, follows.end, follows.end, "tin-1")
    assert "tinh" not in {claim_id for _, claim_id in heard(single, follows)}


@pytest.mark.parametrize("start_s", [40.0, 80.0, 200.0, 250.0])
def test_nothing_is_waited_for_where_a_file_ends_or_nothing_sounds(start_s):
    follows = theirs(start_s, start_mode=StartMode.NEXT)
    assert stretch_of(follows, ours(), follows) == (start_s, start_s + 60, "")


def test_nothing_is_waited_for_in_the_pause_between_two_turns():
    turns = ours(content=Content(items=(an_asset("le", duration_s=50.0),), repeat=2, gap_s=20.0))
    assert stretch_of(one := theirs(60.0, start_mode=StartMode.NEXT), turns, one)[0] == 60
    assert stretch_of(two := theirs(75.0, start_mode=StartMode.NEXT), turns, two)[0] == 120


def test_an_opening_is_a_file_like_any_other():
    opened = ours(content=Content(items=LIST.items, opening=an_asset("chuong", duration_s=65.0)))
    follows = theirs(start_mode=StartMode.NEXT)
    assert stretch_of(follows, opened, follows)[0] == 65


def test_a_relay_is_one_file_that_ends_with_its_claim():
    relay = ours(content=Content(relay=Relay(url="http://dai.example/live")))
    assert stretch_of(relay, relay) == (0, 300, "")
    follows = theirs(start_mode=StartMode.NEXT, end=after_noon(400))
    assert stretch_of(follows, relay, follows) == (300, 360, "tin-1")
    waits = theirs(start_mode=StartMode.WAIT, wait_s=10.0)
    assert stretch_of(waits, relay, waits)[0] == 70


def test_nobody_waits_for_what_would_not_be_cut():
    higher = theirs(0.0, content=LIST, end=after_noon(300))
    lower = a_claim(
        start=after_noon(60), end=after_noon(300), content=LIST, start_mode=StartMode.NEXT
    )
    assert stretch_of(lower, higher, lower) == (60, 260, "")


@pytest.mark.parametrize("mode", [StartMode.WAIT, StartMode.NEXT])
def test_an_emergency_waits_for_nothing(mode):
    alarm = an_announcement(
        start=after_noon(60), end=after_noon(300), start_mode=mode, wait_s=600.0
    )
    assert stretch_of(alarm, ours(), alarm)[0] == 60


def test_one_that_waits_is_let_go_when_what_it_waits_for_is_cut_by_another():
    waits = theirs(45.0, start_mode=StartMode.NEXT, end=after_noon(300))
    alarm = an_announcement(
        start=after_noon(50),
        end=after_noon(100),
        content=Content(items=(an_asset("khan", duration_s=20.0),)),
    )
    assert stretch_of(waits, ours(), waits, alarm) == (50, 110, "tin-1")
    assert heard(ours(), waits, alarm)[1:5] == [
        (0, "tin-1"),
        (50, "khan-1"),
        (70, "tinh"),
        (110, "tin-1"),
    ]


def test_two_that_wait_begin_in_their_order_and_one_waits_for_the_other():
    first = theirs(50.0, start_mode=StartMode.NEXT)
    second = theirs(
        90.0, claim_id="uu-tien", bulletin_class=BulletinClass.PRIORITY, start_mode=StartMode.NEXT
    )
    assert stretch_of(first, ours(), first, second) == (80, 140, "tin-1")
    assert stretch_of(second, ours(), first, second) == (140, 200, "tinh")


def test_what_resumes_is_waited_for_where_its_files_lie_after_the_cut():
    resumes = ours(when_cut=WhenCut.RESUME, end=after_noon(600))
    cuts = theirs(10.0, end=after_noon(70))
    follows = theirs(80.0, claim_id="tinh-2", start_mode=StartMode.NEXT)
    assert stretch_of(follows, resumes, cuts, follows)[0] == 100
    assert stretch_of(resumes, resumes, cuts, follows) == (0, 320, "")


def test_what_is_dropped_when_it_is_cut_is_waited_for_no_more_and_does_not_return():
    drops = ours(when_cut=WhenCut.DROP)
    cuts = theirs(10.0)
    assert stretch_of(drops, drops, cuts) == (0, 10, "")
    assert heard(drops, cuts) == [(-10, ""), (0, "tin-1"), (10, "tinh"), (70, "")]


def test_when_a_content_has_ended_what_it_displaced_returns():
    short = theirs(10.0)
    assert seconds(short.end) == 130
    assert heard(ours(), short) == [
        (-10, ""),
        (0, "tin-1"),
        (10, "tinh"),
        (70, "tin-1"),
        (200, ""),
    ]


def stopped(claim, at_s):
    """A policy under which a claim is over by order from so many seconds after noon on."""
    return Policy(stops={(claim.unit, claim.claim_id): after_noon(at_s)})


def test_one_that_waits_begins_when_what_it_waits_for_is_stopped_and_not_where_it_would_have():
    waits = theirs(start_mode=StartMode.NEXT)
    policy = stopped(ours(), 70)
    assert stretch_of(waits, ours(), waits, policy=policy) == (70, 130, "tin-1")
    assert stretch_of(ours(), ours(), waits, policy=policy) == (0, 70, "")
    assert heard(ours(), waits, policy=policy) == [(-10, ""), (0, "tin-1"), (70, "tinh"), (130, "")]


def test_what_was_let_go_before_the_stop_keeps_its_start():
    waits = theirs(start_mode=StartMode.NEXT)
    assert stretch_of(waits, ours(), waits, policy=stopped(ours(), 90)) == (80, 140, "tin-1")


@pytest.mark.parametrize("stopped_s", [-30, 0])
def test_what_was_stopped_before_it_began_holds_nobody_up(stopped_s):
    waits, policy = theirs(start_mode=StartMode.NEXT), stopped(ours(), stopped_s)
    assert stretch_of(waits, ours(), waits, policy=policy) == (60, 120, "")
    assert stretch_of(ours(), ours(), waits, policy=policy) == (0, 0, "")


def test_one_that_is_stopped_while_it_waits_never_begins():
    waits = theirs(start_mode=StartMode.NEXT)
    policy = stopped(waits, 70)
    assert stretch_of(waits, ours(), waits, policy=policy) == (180, 180, "tin-1")
    assert heard(ours(), waits, policy=policy) == [(-10, ""), (0, "tin-1"), (200, "")]


def test_quiet_hours_let_go_of_what_waits():
    waits = theirs(50.0, start_mode=StartMode.NEXT)
    quiet = Policy(quiet=(Interval(start=after_noon(60), end=after_noon(90)),))
    assert stretch_of(waits, ours(), waits, policy=quiet)[0] == 60


def test_an_announcement_that_was_kept_from_beginning_begins_late_while_it_can_end_in_time():
    grave = an_announcement(
        severity=4,
        start=after_noon(0),
        end=after_noon(100),
        content=Content(items=(an_asset("dai", duration_s=30.0),)),
    )
    lesser = replace(grave, claim_id="khan-2", severity=1)
    assert stretch_of(lesser, grave, lesser) == (0, 60, "")
    late = replace(lesser, end=after_noon(50))
    assert stretch_of(late, grave, late) == (0, 20.5, "")


@given(courses, rules, orders)
def test_airtimes_do_not_depend_on_the_order_of_arrival(some, policy, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    assert {time.claim.claim_id: time for time in airtimes(shuffled, policy)} == {
        time.claim.claim_id: time for time in airtimes(some, policy)
    }


@given(courses, rules)
def test_an_airtime_lies_in_its_claim_and_is_never_held_back_for_longer_than_allowed(some, policy):
    for claim, time in zip(some, airtimes(some, policy), strict=True):
        assert time.claim is claim
        assert claim.start <= time.start <= time.end <= claim.end
        held = time.start - claim.start
        match claim.start_mode:
            case StartMode.CUT:
                assert not held
            case StartMode.WAIT:
                never = time.start == claim.end
                assert held <= timedelta(seconds=claim.wait_s) or never
            case StartMode.NEXT:
                longest = max(file.duration_s for each in some for file in assets(each.content))
                assert held <= timedelta(seconds=longest)
        if claim.bulletin_class is BulletinClass.EMERGENCY:
            assert not held
        assert bool(held) == bool(time.behind)


def test_who_would_have_waited_for_what_is_cut_in_that_instant_has_waited_for_nobody():
    sounding = a_claim(claim_id="a", start=after_noon(0), end=after_noon(60))
    facts = {"start": after_noon(10), "end": after_noon(60), "mode": Mode.DRILL}
    waits = a_claim(claim_id="b", start_mode=StartMode.WAIT, wait_s=5.0, **facts)
    cuts = a_claim(claim_id="c", **facts)
    held = airtimes([sounding, waits, cuts], Policy())[1]
    assert (held.start, held.behind) == (after_noon(10), "")


@pytest.mark.parametrize(
    ("mode", "ends_s", "heard"),
    [
        (Mode.REAL, 4, [(0, 1), (2, 4)]),
        (Mode.DRILL, 4, [(0, 1)]),
        (Mode.DRILL, 9, [(0, 1), (2, 6)]),
    ],
)
def test_a_drill_that_was_cut_begins_again_if_it_can_end_in_time(mode, ends_s, heard):
    announced = a_claim(
        kind=ClaimKind.ANNOUNCEMENT,
        mode=mode,
        bulletin_class=BulletinClass.ORDINARY,
        start=after_noon(0),
        end=after_noon(ends_s),
        content=Content(items=(an_asset(duration_s=4.0),)),
    )
    policy = Policy(quiet=(Interval(start=after_noon(1), end=after_noon(2)),))
    spans = timeline([announced], policy, after_noon(0), after_noon(20))
    assert [(span.start, span.end) for span in spans if span.claim] == [
        (after_noon(begins), after_noon(ends)) for begins, ends in heard
    ]


@given(courses, rules, st.integers(-5, 110), st.data())
def test_a_stop_changes_nothing_of_what_was_before_it(some, policy, stopped_s, data):
    claim, at = data.draw(st.sampled_from(some)), after_noon(stopped_s)
    after = dataclasses.replace(policy, stops={(claim.unit, claim.claim_id): at})
    assert timeline(some, after, after_noon(-10), at) == timeline(some, policy, after_noon(-10), at)
    for was, is_ in zip(airtimes(some, policy), airtimes(some, after), strict=True):
        assert was.start == is_.start or min(was.start, is_.start) >= at or is_.start == is_.end
        if is_.claim is claim:
            assert is_.end <= max(at, is_.start)
            assert is_.start == is_.end or is_.start < at


@given(courses, rules)
def test_what_was_waited_for_is_taken_over_from_where_one_of_its_files_ends(some, policy):
    some = [replace(claim, when_cut=WhenCut.REJOIN, kind=ClaimKind.SCHEDULED) for claim in some]
    times = {time.claim.claim_id: time for time in airtimes(some, policy)}
    for before, after in pairwise(timeline(some, policy, after_noon(-10), after_noon(300))):
        if before.claim is None or after.claim is None:
            continue
        time = times[after.claim.claim_id]
        is_held = time.start == after.start and time.behind == before.claim.claim_id
        # Whom a third one cuts is waited for no longer.
        is_cut = any(
            other.start == after.start
            for other in times.values()
            if other.claim not in (before.claim, after.claim)
        )
        if is_held and not is_cut and after.claim.start_mode is StartMode.NEXT:
            began = times[time.behind].start
            ends = {
                began + timedelta(seconds=placed.offset_s + placed.asset.duration_s)
                for placed in layout(before.claim.content)
            }
            assert after.start in ends | {before.claim.end}


@given(courses, rules)
def test_without_start_modes_and_cuts_an_airtime_is_the_time_of_the_content(some, policy):
    some = [
        replace(
            claim,
            start_mode=StartMode.CUT,
            when_cut=WhenCut.REJOIN,
            kind=ClaimKind.SCHEDULED,
        )
        for claim in some
    ]
    for claim, time in zip(some, airtimes(some, policy), strict=True):
        content_end = claim.start + timedelta(seconds=length_s(claim.content))
        assert (time.start, time.end) == (claim.start, min(claim.end, content_end))
