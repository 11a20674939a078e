"""A lower unit only tightens, and edges at midnight are where the clock on the wall has them."""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import BulletinClass, Mode
from protocol.policy import merge
from server.domain.frames import TimeFrame, misplaced, rules
from server.domain.hours import Hold, left_to, pieces, trespasses
from server.domain.recurrence import EVERY_DAY, LOCAL, day_bounds
from server.domain.units import Unit
from server.domain.week import DAY_S, WEEK_S, clock, common, joined, without
from tests.factories.claims import a_claim
from tests.factories.messages import a_plan
from tests.factories.slots import SUNDAY_ONLY, TODAY, a_frame

MONDAY = TODAY + timedelta(days=2)
WEEK = day_bounds(MONDAY)[0]
TINH, XA = Unit("tinh", "Tỉnh", 0, None), Unit("xa-1", "Xã Một", 1, "tinh")
STEP_MIN = 30
MINUTES = range(0, WEEK_S // 60, STEP_MIN)


def frames(unit_id: str) -> st.SearchStrategy[TimeFrame]:
    """Frames on the half hour, often at midnight and across it."""
    half_hours = st.integers(0, 47).map(lambda n: time(n // 2, n % 2 * 30)) | st.just(time())
    return st.builds(
        lambda owner, **rest: TimeFrame(
            unit_id, owner[0], owner_rank=owner[1], legal_reference="", **rest
        ),
        owner=st.sampled_from([(None, None), ("tinh", None), ("xa-1", None), (None, 0), (None, 1)]),
        weekdays=st.integers(1, EVERY_DAY),
        local_start=half_hours,
        local_end=half_hours,
        quiet=st.booleans(),
        session_limit_s=st.sampled_from([None, 1800, 7200]),
        volume_ceiling_db=st.sampled_from([None, -3.0, -9.0]),
    )


upper, lower = st.lists(frames("tinh"), max_size=3), st.lists(frames("xa-1"), max_size=3)
units = st.sampled_from([(TINH, ["tinh"]), (XA, ["tinh", "xa-1"])])


def is_in(frame: TimeFrame, minute: int) -> bool:
    """Say by weekday and clock alone whether a minute of the week lies in a frame."""
    start = frame.local_start.hour * 60 + frame.local_start.minute
    end = frame.local_end.hour * 60 + frame.local_end.minute
    day, at = divmod(minute, 24 * 60)
    today, yesterday = frame.weekdays >> day & 1, frame.weekdays >> (day - 1) % 7 & 1
    if start < end:
        return bool(today and start <= at < end)
    return bool((today and at >= start) or (yesterday and at < end))


def may_sound(unit: Unit, above: list[str], laid_down: list[TimeFrame], minute: int) -> bool:
    """Decide one minute as the rules are told in words."""
    if any(is_in(frame, minute) for frame in laid_down if frame.quiet):
        return False
    for layer in above:
        theirs = [frame for frame in laid_down if frame.unit_id == layer and not frame.quiet]
        if theirs and not any(is_in(f, minute) for f in theirs if f.is_open_to(unit)):
            return False
    return True


def refuses(unit, above, laid_down, start_min: int, length_min: int) -> list[str]:
    start = WEEK + timedelta(minutes=start_min)
    stretch = (start, start + timedelta(minutes=length_min))
    found = misplaced([stretch], unit=unit, above=above, chain_frames=laid_down)
    return [finding.code for finding in found]


@given(upper, lower, units)
def test_what_may_sound_is_what_a_look_at_every_half_hour_finds(high, low, who):
    unit, above = who
    unlimited = [replace(frame, session_limit_s=None) for frame in (*high, *low)]
    for minute in MINUTES:
        assert (refuses(unit, above, unlimited, minute, STEP_MIN) == []) is may_sound(
            unit, above, unlimited, minute
        )


@given(upper, lower, units, st.sampled_from(MINUTES), st.integers(1, 20))
def test_a_lower_unit_never_opens_what_an_upper_one_has_closed(high, low, who, start, halves):
    unit, above = who
    if refuses(unit, above, high, start, halves * STEP_MIN):
        assert refuses(unit, above, [*high, *low], start, halves * STEP_MIN)


@given(upper, lower)
def test_left_over_time_is_what_may_sound(high, low):
    left = left_to(XA, [*high, *low])
    for minute in MINUTES:
        expected = may_sound(XA, ["tinh", "xa-1"], [*high, *low], minute)
        assert any(a <= minute * 60 < b for a, b in left) is expected


@given(upper, frames("xa-1"))
def test_a_frame_is_accepted_only_where_the_upper_unit_leaves_all_of_it(high, new):
    findings = {one.code for one in trespasses(new, XA, high, own=[])}
    inside = all(may_sound(XA, ["tinh"], high, m) for m in MINUTES if is_in(new, m))
    assert ("frame-outside" in findings) is (not new.quiet and not inside)


@given(upper, lower, st.sampled_from(BulletinClass), st.sampled_from(Mode), st.integers(0, 335))
def test_merging_a_lower_plan_permits_no_more_and_nothing_louder(high, low, rank, mode, half):
    end = WEEK + timedelta(days=7)
    above = a_plan(unit="tinh", rules=rules(TINH, high, WEEK, end))
    below = a_plan(unit="xa-1", rules=rules(XA, [*high, *low], WEEK, end))
    alone, together = merge([above], None), merge([above, below], None)
    at = WEEK + timedelta(minutes=STEP_MIN * half)
    claim = a_claim(bulletin_class=rank, mode=mode)
    assert alone.permits(claim, at) or not together.permits(claim, at)
    until = at + timedelta(hours=1)
    assert together.loudest_db(claim, at, until) <= alone.loudest_db(claim, at, until)
    if alone.owner(at) is not None:
        assert together.owner(at) == alone.owner(at)


@given(upper, lower)
def test_the_pieces_of_the_week_are_whose_time_a_node_says_it_is(high, low):
    end = WEEK + timedelta(days=7)
    policy = merge(
        (
            a_plan(unit=unit.unit_id, rules=rules(unit, [*high, *low], WEEK, end))
            for unit in (TINH, XA)
        ),
        None,
    )
    week = pieces([TINH, XA], [*high, *low])
    assert [piece.start for piece in week] == [0, *(piece.end for piece in week[:-1])]
    assert week[-1].end == WEEK_S
    for piece in week:
        for second in {piece.start, piece.end - 1}:
            at = WEEK + timedelta(seconds=second)
            quiet = not policy.permits(a_claim(), at)
            assert (piece.hold is Hold.QUIET) is quiet
            if not quiet:
                assert piece.owner_id == policy.owner(at)


def test_a_frame_given_to_a_level_is_each_of_its_units_own():
    given_down = a_frame("06:00", "07:00", owner_rank=1)
    start, end = day_bounds(MONDAY)
    assert rules(TINH, [given_down], start, end).frames == ()
    (frame,) = rules(XA, [given_down], start, end).frames
    assert (frame.owner, f"{frame.start.astimezone(LOCAL):%H:%M}") == ("xa-1", "06:00")
    assert [p.owner_rank for p in pieces([TINH], [given_down]) if p.hold is Hold.OWNED] == [1] * 7


def test_a_lower_unit_neither_takes_the_upper_ones_frame_nor_opens_its_quiet_hours():
    above = [
        a_frame("05:00", "06:00", owner_id="tinh"),
        a_frame("06:00", "22:00"),
        a_frame("12:00", "13:00", quiet=True),
    ]

    def asked(start: str, end: str, **facts: object) -> list[tuple[str, str, str]]:
        new = a_frame(start, end, unit_id="xa-1", **facts)
        found = trespasses(new, XA, above, own=[])
        return [(one.code, one.fields["start"], one.fields["end"]) for one in found]

    assert asked("06:00", "12:00") == []
    assert asked("13:00", "22:00", owner_id="xa-1") == []
    assert asked("05:30", "06:30") == [("frame-outside", "05:30", "06:00")]
    assert asked("11:30", "12:30") == [("frame-outside", "12:00", "12:30")]
    assert asked("21:00", "24:00".replace("24", "00")) == [("frame-outside", "22:00", "24:00")]
    assert asked("05:00", "13:00", quiet=True) == []


def test_a_lower_unit_may_shorten_and_lower_but_not_lengthen_or_raise():
    above = [a_frame("05:00", "22:00", session_limit_s=1800, volume_ceiling_db=-6.0)]

    def codes(**facts: object) -> list[str]:
        new = a_frame("06:00", "07:00", unit_id="xa-1", **facts)
        return [one.code for one in trespasses(new, XA, above, own=[])]

    assert codes(session_limit_s=1800, volume_ceiling_db=-6.0) == []
    assert codes(session_limit_s=600, volume_ceiling_db=-12.0) == []
    assert codes(session_limit_s=1801) == ["frame-longer"]
    assert codes(volume_ceiling_db=-5.9) == ["frame-louder"]


def test_frames_of_one_unit_may_touch_but_not_overlap():
    own = [a_frame("05:00", "06:00")]
    assert trespasses(a_frame("06:00", "07:00"), TINH, [], own) == []
    (found,) = trespasses(a_frame("05:59", "07:00"), TINH, [], own)
    assert (found.code, found.fields["start"], found.fields["end"]) == (
        "frame-overlap",
        "05:59",
        "06:00",
    )


def test_the_shortest_limit_that_a_programme_touches_holds_and_both_lengths_are_named():
    laid_down = [
        a_frame("05:00", "06:00", session_limit_s=3600),
        a_frame("06:00", "07:00", session_limit_s=1200),
    ]
    start = datetime.combine(MONDAY, time(5, 50), LOCAL)
    facts = {"unit": XA, "above": ["tinh", "xa-1"], "chain_frames": laid_down}
    assert misplaced([(start, start + timedelta(minutes=10))], **facts) == []
    assert misplaced([(start, start + timedelta(minutes=20))], **facts) == []
    (found,) = misplaced([(start, start + timedelta(minutes=21))], **facts)
    assert (found.code, found.fields["length"], found.fields["limit"]) == (
        "session-too-long",
        "0:21:00",
        "0:20:00",
    )


def test_a_frame_over_sunday_night_reaches_into_monday():
    night = a_frame("22:00", "05:00", weekdays=SUNDAY_ONLY)
    assert night.week == ((0, 5 * 3600), (6 * DAY_S + 22 * 3600, WEEK_S))


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [("22:00", "00:00", "22:00-24:00"), ("00:00", "00:00", "00:00-24:00")],
)
def test_midnight_at_the_end_is_twenty_four_hours(start, end, hours):
    frame = a_frame(start, end, weekdays=1)
    assert frame.hours == hours
    assert clock(frame.week[0][1], ends=True) == "24:00"
    assert frame.week[0][1] == DAY_S


stretches = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: tuple(sorted(pair))),
    max_size=5,
)


@given(stretches, stretches)
def test_sets_of_time_are_what_a_look_at_each_second_finds(one, other):
    def seconds(some) -> set[int]:
        return {second for begin, until in some for second in range(begin, until)}

    assert seconds(joined(one)) == seconds(one)
    assert seconds(common(one, other)) == seconds(one) & seconds(other)
    assert seconds(without(one, other)) == seconds(one) - seconds(other)
