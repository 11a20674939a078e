"""Slots that may want the same hours as another, as plain columns.

The questions are put together once: to build one for each check would take longer than to answer
it. The database leaves out what cannot meet by class, hours, days and weekdays.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, time
from typing import Any, NamedTuple

from sqlalchemy import (
    Date,
    Integer,
    Row,
    Select,
    Text,
    Time,
    and_,
    bindparam,
    cast,
    extract,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from server.domain.offers import clock
from server.domain.week import DAY_S
from server.store.models import SlotRow, SlotTargetRow
from server.store.queries.among import among
from server.store.queries.slots import TIMES
from server.store.queries.targets import targets_of

LONG_S = 3600
"""Slots that last longer are few, and have an index of their own."""

BANDS_S = (300, 600, 1200, 2400, LONG_S)
"""Lengths by which the database leaves out what ends before the hours in question."""

_TICK_S = 1e-6
_NEVER = (time.max, time.min)
_WEEK = 7
_slots, _targets = SlotRow.__table__.c, SlotTargetRow.__table__.c

RivalRow = Row[*tuple[Any, ...]]
"""As ``_COLUMNS`` has it."""

_COLUMNS = (
    _slots.slot_id,
    _slots.unit_id,
    _slots.title,
    _slots.bulletin_class,
    # As text: nearly all of them are empty, and thousands are read at once.
    cast(_slots.languages, Text),
    cast(_slots.overrides, Text),
    *TIMES,
    targets_of(_slots.slot_id),
)


@dataclass(frozen=True, slots=True)
class Running:
    """Slots of a class that run on any of some days, the last included.

    Attributes:
        refs: Units, groups and clusters of which they name one among their targets; None: any.
    """

    bulletin_class: str
    since: date
    until: date
    refs: frozenset[str] | None = None


def slots_by_hour(
    db: Session, running: Running, begins_s: float, ends_s: float, *, weekdays: int
) -> Iterator[RivalRow]:
    """Read the slots of an hour at most that may reach into a stretch of the clock.

    Args:
        db: Is asked once, or twice where midnight lies in the stretch or just before it.
        running: Which slots, and on which days.
        begins_s: Where the stretch begins, in seconds since midnight.
        ends_s: Where it ends, perhaps on the next day.
        weekdays: Weekdays on which they may begin; bit 0 is Monday.
    """
    facts = _facts(running, weekdays)
    for place, longest_s in enumerate(BANDS_S):
        # One that begins so long before the stretch ends where this begins: they only touch.
        reaching = [_clocks(*one) for one in _wrapped(begins_s - longest_s + _TICK_S, ends_s)]
        for half, (first, last) in enumerate((*reaching, _NEVER)[:2]):
            facts |= {f"first_{place}_{half}": first, f"last_{place}_{half}": last}
    for stretch in _wrapped(begins_s - LONG_S + _TICK_S, ends_s):
        first, last = _clocks(*stretch)
        yield from _asked(db, _BY_HOUR, {**facts, "first": first, "last": last})


def long_slots(db: Session, running: Running, *, weekdays: int) -> Iterator[RivalRow]:
    """Read the slots of more than an hour."""
    return _asked(db, _LONG, _facts(running, weekdays))


def longest_slots(db: Session, running: Running, *, weekdays: int, most: int) -> Iterator[RivalRow]:
    """Read, of those of an hour at most that begin at one time, some: the longest ones."""
    return _asked(db, _LONGEST, {**_facts(running, weekdays), "most": most})


def slots_by_start(
    db: Session, running: Running, starts: Collection[time], *, weekdays: int
) -> Iterator[RivalRow]:
    """Read all of an hour at most that begin at some times."""
    return _asked(db, _BY_START, {**_facts(running, weekdays), "starts": list(starts)})


def _asked(db: Session, question: "_Question", facts: dict[str, Any]) -> Iterator[RivalRow]:
    db.flush()  # plain columns are read past the session: what waits in it is in the way too
    asked = question.of_any if facts["refs"] is None else question.of_some
    return iter(db.execute(asked, facts).all())


def _facts(running: Running, weekdays: int) -> dict[str, Any]:
    return {
        "refs": running.refs,
        "class": running.bulletin_class,
        "since": running.since,
        "until": running.until,
        "weekdays": weekdays,
        "sundays_first": (weekdays << 1 | weekdays >> _WEEK - 1) & (1 << _WEEK) - 1,
    }


def _wrapped(first_s: float, last_s: float) -> list[tuple[float, float]]:
    """Cut a stretch of the clock at midnight."""
    if last_s - first_s >= DAY_S:
        return [(0, DAY_S)]
    if first_s < 0:
        return [(first_s + DAY_S, DAY_S), (0, last_s)]
    if last_s > DAY_S:
        return [(first_s, DAY_S), (0, last_s - DAY_S)]
    return [(first_s, last_s)]


def _clocks(first_s: float, last_s: float) -> tuple[time, time]:
    """Give the first and the last time of a stretch, by the microseconds that columns keep."""
    return clock(first_s), clock(max(0.0, last_s - _TICK_S))


def _between(first: str, last: str) -> ColumnElement[bool]:
    return and_(
        _slots.local_start >= bindparam(first, type_=Time),
        _slots.local_start <= bindparam(last, type_=Time),
    )


def _band(place: int, longest_s: int) -> ColumnElement[bool]:
    """Keep slots of some length or less that may reach into the stretch."""
    halves = (_between(f"first_{place}_{half}", f"last_{place}_{half}") for half in range(2))
    return and_(_slots.duration_s <= longest_s, or_(*halves))


_ON_ITS_WEEKDAY = or_(
    _slots.recurrence != "once",
    bindparam("sundays_first", type_=Integer)
    .bitwise_rshift(cast(extract("dow", _slots.first_day), Integer))
    .bitwise_and(1)
    == 1,
)
_MAY_MEET = (
    _slots.withdrawn_at.is_(None),
    _slots.bulletin_class == bindparam("class"),
    or_(_slots.last_day.is_(None), _slots.last_day >= bindparam("since", type_=Date)),
    _slots.first_day <= bindparam("until", type_=Date),
    _slots.weekdays.bitwise_and(bindparam("weekdays", type_=Integer)) != 0,
    _ON_ITS_WEEKDAY,
)
_NAMED = _slots.slot_id.in_(select(_targets.slot_id).where(among(_targets.ref, "refs")))
_SHORT = _slots.duration_s <= LONG_S


class _Question(NamedTuple):
    """One question about all slots, and about those that name certain targets."""

    of_any: Select[*tuple[Any, ...]]
    of_some: Select[*tuple[Any, ...]]


def _question(*conditions: ColumnElement[bool]) -> _Question:
    asked = select(*_COLUMNS).where(*_MAY_MEET, *conditions)
    return _Question(asked, asked.where(_NAMED))


def _longest() -> _Question:
    longest_first = _slots.duration_s.desc(), _slots.slot_id
    rank = func.row_number().over(partition_by=_slots.local_start, order_by=longest_first)
    ranked = select(_slots.slot_id, rank.label("place")).where(*_MAY_MEET, _SHORT)
    asked = []
    for one in (ranked, ranked.where(_NAMED)):
        kept = one.subquery()
        first = select(kept.c.slot_id).where(kept.c.place <= bindparam("most", type_=Integer))
        asked.append(select(*_COLUMNS).where(_slots.slot_id.in_(first)))
    return _Question(*asked)


_BY_HOUR = _question(
    _between("first", "last"),
    _SHORT,
    or_(*(_band(place, longest_s) for place, longest_s in enumerate(BANDS_S))),
)
# As a literal: a partial index is used only where the planner sees its condition.
_LONG = _question(literal_column("slots.duration_s > 3600"))
_BY_START = _question(
    _SHORT, _slots.local_start.in_(bindparam("starts", type_=Time, expanding=True))
)
_LONGEST = _longest()
