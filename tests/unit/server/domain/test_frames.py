"""Time frames and quiet hours."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.domain.frames import misplaced, rules
from server.domain.recurrence import LOCAL, day_bounds
from server.domain.units import Unit
from tests.factories.slots import SUNDAY_ONLY, TODAY, a_frame

MIDNIGHT = day_bounds(TODAY)[0]
TINH, XA = Unit("tinh", "Tỉnh", 0, None), Unit("xa-1", "Xã Một", 1, "tinh")
CHAIN = {"tinh": [TINH], "xa-1": [TINH, XA]}


def on_air(start: str, end: str, days_later: int = 0):
    """A stretch of today, by the clock on the wall; it ends ``days_later``."""
    begin = datetime.fromisoformat(f"{TODAY}T{start}").replace(tzinfo=LOCAL)
    until = datetime.fromisoformat(f"{TODAY}T{end}").replace(tzinfo=LOCAL)
    return begin.astimezone(UTC), until.astimezone(UTC) + timedelta(days=days_later)


def codes(frames, *stretches: tuple[datetime, datetime], unit_id="xa-1") -> list[str]:
    unit = CHAIN[unit_id][-1]
    above = [one.unit_id for one in CHAIN[unit_id]]
    return [f.code for f in misplaced(stretches, unit=unit, above=above, chain_frames=frames)]


def test_where_nobody_laid_down_a_frame_all_hours_are_open():
    assert codes([], on_air("03:00", "04:00")) == []


def test_where_there_are_only_quiet_hours_all_others_are_open():
    frames = [a_frame("21:00", "05:00", quiet=True)]
    assert codes(frames, on_air("05:00", "06:00"), on_air("20:00", "21:00")) == []


def test_a_frame_holds_what_lies_wholly_in_it():
    frames = [a_frame("05:00", "07:00")]
    assert codes(frames, on_air("05:00", "07:00")) == []
    assert codes(frames, on_air("06:50", "07:01")) == ["outside-frame"]
    assert codes(frames, on_air("04:59", "05:10")) == ["outside-frame"]


def test_a_frame_of_the_whole_day_has_no_seam_at_midnight():
    assert codes([a_frame("00:00", "00:00")], on_air("23:50", "00:20", days_later=1)) == []


def test_a_frame_may_cross_midnight():
    frames = [a_frame("22:00", "02:00")]
    assert codes(frames, on_air("23:30", "00:30", days_later=1)) == []
    assert codes(frames, on_air("00:30", "01:30")) == []
    assert codes(frames, on_air("01:30", "02:30")) == ["outside-frame"]


def test_two_frames_that_touch_are_one_stretch_of_time():
    frames = [a_frame("05:00", "06:00"), a_frame("06:00", "07:00")]
    assert codes(frames, on_air("05:50", "06:10")) == []
    assert codes([frames[0], a_frame("06:01", "07:00")], on_air("05:50", "06:10")) == [
        "outside-frame"
    ]


def test_somebody_elses_frame_is_not_open():
    frames = [
        a_frame("05:00", "06:00", owner_id="tinh"),
        a_frame("06:00", "07:00", owner_id="xa-1"),
    ]
    assert codes(frames, on_air("05:10", "05:20")) == ["outside-frame"]
    assert codes(frames, on_air("05:10", "05:20"), unit_id="tinh") == []
    assert codes(frames, on_air("06:10", "06:20")) == []


def test_quiet_hours_silence_whatever_touches_them_even_inside_a_frame():
    frames = [a_frame("00:00", "00:00"), a_frame("21:00", "05:00", quiet=True)]
    assert codes(frames, on_air("20:59", "21:01")) == ["quiet-hours"]
    assert codes(frames, on_air("04:59", "05:10")) == ["quiet-hours"]
    assert codes(frames, on_air("02:00", "02:10")) == ["quiet-hours"]
    assert codes(frames, on_air("05:00", "21:00")) == []


def test_a_frame_holds_only_on_its_weekdays():
    frames = [a_frame("05:00", "07:00", weekdays=SUNDAY_ONLY)]
    saturday = on_air("05:30", "06:00")
    sunday = tuple(at + timedelta(days=1) for at in saturday)
    assert codes(frames, saturday) == ["outside-frame"]
    assert codes(frames, sunday) == []


def test_one_bad_day_among_many_is_found_and_named():
    frames = [
        a_frame("05:00", "07:00"),
        a_frame("05:00", "06:00", quiet=True, weekdays=SUNDAY_ONLY),
    ]
    week = [tuple(at + timedelta(days=n) for at in on_air("05:30", "05:40")) for n in range(7)]
    (finding,) = misplaced(week, unit=XA, above=["tinh", "xa-1"], chain_frames=frames)
    assert finding.code == "quiet-hours"
    assert dict(finding.fields) == {
        "day": "22/11/2026",
        "start": "05:30:00",
        "end": "05:40:00",
        "frames": "05:00-06:00",
    }


frames_ = st.builds(
    lambda start, end, **rest: a_frame(f"{start:02}:00", f"{end:02}:00", **rest),
    start=st.integers(0, 23),
    end=st.integers(0, 23),
    quiet=st.booleans(),
    owner_id=st.sampled_from([None, "tinh", "xa-1"]),
    weekdays=st.integers(1, 127),
)


@given(
    st.lists(frames_, max_size=4),
    st.lists(st.tuples(st.integers(0, 167), st.integers(1, 23)), min_size=1, max_size=3),
)
def test_an_hour_by_hour_look_finds_the_same(frames, hours):
    stretches = sorted(
        (MIDNIGHT + timedelta(hours=start), MIDNIGHT + timedelta(hours=start + length))
        for start, length in hours
    )

    def covered(hour: datetime, *, quiet: bool) -> bool:
        return any(
            begin <= hour < until
            for frame in frames
            if frame.quiet is quiet and (quiet or frame.owner_id in (None, "xa-1"))
            for begin, until in frame.stretches(hour, hour + timedelta(hours=1))
        )

    is_framed = any(not frame.quiet for frame in frames)
    expected = []
    for start, end in stretches:
        length_h = int((end - start) / timedelta(hours=1))
        inside = [start + timedelta(hours=n) for n in range(length_h)]
        if any(covered(hour, quiet=True) for hour in inside):
            expected = ["quiet-hours"]
        elif is_framed and not all(covered(hour, quiet=False) for hour in inside):
            expected = ["outside-frame"]
        if expected:
            break
    assert codes(frames, *stretches) == expected


def test_a_plan_carries_the_frames_that_have_an_owner_and_the_quiet_hours_as_instants():
    frames = [
        a_frame("05:00", "06:00", owner_id="tinh"),
        a_frame("06:00", "07:00"),
        a_frame("21:00", "05:00", quiet=True),
    ]
    written = rules(TINH, frames, *day_bounds(TODAY))
    assert [(frame.owner, frame.start, frame.end) for frame in written.frames] == [
        ("tinh", *on_air("05:00", "06:00"))
    ]
    assert [stretch.start for stretch in written.quiet] == [
        MIDNIGHT - timedelta(hours=3),
        MIDNIGHT + timedelta(hours=21),
    ]
