"""Rules, slots and time frames, with boring defaults."""

from dataclasses import replace
from datetime import date, time, timedelta

from hypothesis import strategies as st

from protocol.messages import BulletinClass, Targets, WhenCut
from server.domain.clashes import Occupant
from server.domain.frames import TimeFrame
from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import EVERY_DAY, Recurrence, Rule
from server.domain.slots import Slot
from tests.factories.claims import an_asset, at

TODAY = date(2026, 11, 21)
"""A Saturday."""

SUNDAY_ONLY = 0b1000000


def a_rule(**overrides: object) -> Rule:
    """Make the rule of ten minutes at half past five, every day from today on."""
    boring = Rule(Recurrence.DAILY, time(5, 30), timedelta(minutes=10), TODAY)
    return replace(boring, **overrides)


def a_slot(slot_id: str = "s-1", clusters: str = "c-1 c-2", **overrides: object) -> Slot:
    """Make an ordinary slot of a commune at two clusters; rule fields may be overridden too."""
    of_rule = {name: overrides.pop(name) for name in tuple(overrides) if name in Rule.__slots__}
    boring = Slot(
        slot_id=slot_id,
        unit_id="xa-1",
        unit_name="Xã Một",
        level=1,
        title="Bản tin sáng",
        bulletin_class=BulletinClass.ORDINARY,
        rule=a_rule(**of_rule),
        items=(an_asset(),),
        targets=Targets(units=("xa-1",)),
        clusters=frozenset(clusters.split()),
        when_cut=WhenCut.REJOIN,
        gain_db=0.0,
        created_at=at(-24 * 60),
    )
    return replace(boring, **overrides)


def an_occupant(slot_id: str = "s-1", clusters: str = "c-1 c-2", **overrides: object) -> Occupant:
    """Make what others see of a commune's slot; rule fields may be overridden too."""
    of_rule = {name: overrides.pop(name) for name in tuple(overrides) if name in Rule.__slots__}
    boring = Occupant(
        slot_id=slot_id,
        unit_id="xa-1",
        unit_name="Xã Một",
        level=1,
        title="Bản tin sáng",
        bulletin_class=BulletinClass.ORDINARY,
        rule=a_rule(**of_rule),
        clusters=frozenset(clusters.split()),
    )
    return replace(boring, **overrides)


def a_frame(start: str, end: str, **overrides: object) -> TimeFrame:
    """Make a frame of the province, open to whoever asks, every day from ``start`` to ``end``."""
    boring = TimeFrame(
        unit_id="tinh",
        owner_id=None,
        weekdays=EVERY_DAY,
        local_start=time.fromisoformat(start),
        local_end=time.fromisoformat(end),
    )
    return replace(boring, **overrides)


patterns = st.one_of(
    st.sampled_from([("once", ""), ("daily", ""), ("weekly", "")]),
    st.tuples(
        st.just("monthly"),
        st.sampled_from(["BYMONTHDAY=-1", "BYMONTHDAY=31", "BYDAY=-1SU"])
        | st.integers(1, 31).map("BYMONTHDAY={}".format)
        | st.builds("BYDAY={}{}".format, st.integers(1, 5), st.sampled_from(["MO", "WE", "SU"])),
    ),
    st.tuples(
        st.just("lunar"),
        st.sampled_from(["DAY=-1", "DAY=30", "DAY=10;MONTH=10", "DAY=1;MONTH=1"])
        | st.integers(1, 30).map("DAY={}".format),
    ),
    st.tuples(
        st.just("rrule"),
        st.sampled_from(
            [
                "FREQ=DAILY;INTERVAL=3;COUNT=7",
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA",
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
                "FREQ=YEARLY;BYMONTH=12;BYDAY=-1SU",
                "FREQ=DAILY;UNTIL=20261130\nEXDATE:20261125\nRDATE:20261205",
            ]
        ),
    ),
)
"""Kinds of recurrence with what each needs."""

rules = st.builds(
    lambda minute, length_min, first, lasts, kind, **rest: Rule(
        recurrence=Recurrence(kind[0]),
        pattern=kind[1],
        local_start=time(minute // 60, minute % 60),
        length=timedelta(minutes=length_min),
        first_day=TODAY + timedelta(days=first),
        last_day=None if lasts is None else TODAY + timedelta(days=first + lasts),
        **rest,
    ),
    kind=patterns,
    minute=st.sampled_from([0, 1, 30, 690, 720, 1380, 1430, 1439]) | st.integers(0, 1439),
    length_min=st.sampled_from([1, 30, 60]) | st.integers(1, 1440),
    first=st.integers(-9, 9),
    lasts=st.none() | st.integers(0, 20),
    weekdays=st.integers(1, EVERY_DAY),
    holidays=st.sampled_from([HolidayChoice.ANY, HolidayChoice.ANY, *HolidayChoice]),
)
"""Rules round today that often meet, at midnight too; a quarter of them lasts for hours."""

slots = st.builds(
    lambda number, clusters, bulletin_class, rule: a_slot(
        f"s-{number}", " ".join(clusters), bulletin_class=bulletin_class, rule=rule
    ),
    number=st.integers(0, 10**6),
    clusters=st.sets(st.sampled_from(["c-1", "c-2", "c-3"]), min_size=1),
    bulletin_class=st.sampled_from([BulletinClass.ORDINARY, BulletinClass.PRIORITY]),
    rule=rules,
)
"""Slots that often want the same clusters in the same class."""
