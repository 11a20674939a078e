"""What the desk draws: units, whose time it is there, and which slots come when.

Ten thousand slots are read as columns, not as objects, and slots that come on the same days share
the answer: a province opens in the time of a page.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, demand, may
from server.domain.errors import DeskRefusedError, Finding
from server.domain.frames import TimeFrame
from server.domain.hours import Hold, Piece, pieces
from server.domain.recurrence import Recurrence, local_day
from server.domain.units import Tree
from server.services.planning import frames_of, rule_of
from server.services.units import tree
from server.store.models import AssetRow, SlotItemRow, SlotRow, SlotTargetRow

MOST_DAYS = 8
MOST_UNITS = 500
_DAY_S = 86_400
_QUICK = frozenset({Recurrence.ONCE, Recurrence.DAILY, Recurrence.WEEKLY})


@dataclass(frozen=True, slots=True)
class DeskHours:
    """A stretch of every week.

    Attributes:
        start_s, end_s: Seconds since Monday midnight; it does not cross midnight.
        hold: ``quiet``, ``owned``, ``open`` or ``closed``.
        owner: Name of the unit whose time it is.
        rank: Level whose time it is.
        own: Whether the unit itself may fill it.
    """

    start_s: int
    end_s: int
    hold: str
    owner: str
    rank: int | None
    own: bool


@dataclass(frozen=True, slots=True)
class DeskUnit:
    """A row of the desk."""

    unit_id: str
    name: str
    level: int
    parent_id: str | None
    children: int
    clusters: int
    may_change: bool
    hours: tuple[DeskHours, ...]


@dataclass(frozen=True, slots=True)
class DeskSlot:
    """A slot, and when it comes.

    Attributes:
        start_s: Second of the day at which it begins.
        content_s: Length of its files; None: a relay, or live, which last as long as they may.
        days: Days on which it begins, counted from the first one asked for; -1 reaches into it.
        reach: Units under its own that it reaches; None: all of them.
    """

    slot_id: str
    unit_id: str
    title: str
    bulletin_class: str
    content_kind: str
    recurrence: str
    start_s: int
    length_s: float
    content_s: float | None
    version: int
    days: tuple[int, ...]
    reach: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Desk:
    """Some rows of the desk over some days, ``until`` not among them."""

    start: date
    until: date
    units: tuple[DeskUnit, ...]
    slots: tuple[DeskSlot, ...]


def feed(
    db: Session,
    unit_ids: Sequence[str],
    *,
    start: date,
    until: date,
    actor: Actor,
    now: datetime,
    units: Tree | None = None,
) -> Desk:
    """Collect what the rows of some units show from ``start`` to ``until``.

    Raises:
        UnknownThingError: One of the units is not there today.
        NotAllowedError: The actor may not see one of them.
        DeskRefusedError: More days or units than are shown together.
    """
    demand_narrow(start, until, len(unit_ids))
    places = units or tree(db, today=local_day(now))
    wanted = tuple(dict.fromkeys(unit_ids))
    for unit_id in wanted:
        demand(actor, Action.VIEW, places.chain(unit_id))
    frames = frames_of(db, {above for unit_id in wanted for above in places.chain(unit_id)})
    weeks = _Weeks(frames, places)
    return Desk(
        start,
        until,
        tuple(_unit(unit_id, weeks, actor, places) for unit_id in wanted),
        tuple(_slots(db, wanted, start, until, places)),
    )


def demand_narrow(start: date, until: date, units: int = 1) -> None:
    """Go on only when so much can be shown together.

    Raises:
        DeskRefusedError: It is too much, or no day at all.
    """
    if not timedelta() < until - start <= timedelta(days=MOST_DAYS) or units > MOST_UNITS:
        raise DeskRefusedError([Finding("desk-too-wide", {"days": str(MOST_DAYS)})])


def seen_roots(actor: Actor, units: Tree) -> list[str]:
    """List the highest units that somebody may see."""
    return [
        unit_id
        for unit_id, unit in units.units.items()
        if may(actor, Action.VIEW, units.chain(unit_id))
        and (unit.parent_id is None or not may(actor, Action.VIEW, units.chain(unit.parent_id)))
    ]


def _unit(unit_id: str, weeks: "_Weeks", actor: Actor, units: Tree) -> DeskUnit:
    unit = units.unit(unit_id)
    return DeskUnit(
        unit_id,
        unit.name,
        unit.level_rank,
        unit.parent_id,
        len(units.children(unit_id)),
        len(units.own_clusters(unit_id)),
        may(actor, Action.SCHEDULE, units.chain(unit_id)),
        weeks.of(unit_id),
    )


class _Weeks:
    """Whose time it is in each unit's week; communes under the same frames share the work."""

    def __init__(self, frames: Sequence[TimeFrame], units: Tree) -> None:
        self._frames = frames
        self._units = units
        self._owners = {frame.owner_id for frame in frames}
        self._known: dict[object, tuple[str, list[Piece]]] = {}

    def of(self, unit_id: str) -> tuple[DeskHours, ...]:
        chain = self._units.chain(unit_id)
        frames = [frame for frame in self._frames if frame.unit_id in chain]
        if not frames:
            return ()
        # A unit that is named as an owner is like no other.
        alike = (
            chain[:-1],
            self._units.unit(unit_id).level_rank,
            tuple(frame.frame_id for frame in frames),
            unit_id if unit_id in self._owners else None,
        )
        if alike not in self._known:
            week = pieces([self._units.unit(one) for one in chain], frames)
            self._known[alike] = unit_id, week
        first, week = self._known[alike]
        return tuple(self._hours(piece, first, unit_id) for piece in week)

    def _hours(self, piece: Piece, first: str, unit_id: str) -> DeskHours:
        owner_id = unit_id if piece.owner_id == first else piece.owner_id
        owner = self._units.units.get(owner_id) if owner_id is not None else None
        return DeskHours(
            piece.start,
            piece.end,
            piece.hold.value,
            owner.name if owner else "",
            owner.level_rank if owner else piece.owner_rank,
            own=piece.hold is Hold.OPEN or owner_id == unit_id,
        )


def _slots(
    db: Session, unit_ids: Collection[str], start: date, until: date, units: Tree
) -> Iterable[DeskSlot]:
    first, last = start - timedelta(days=1), until - timedelta(days=1)
    here = (
        SlotRow.unit_id.in_(unit_ids),
        SlotRow.withdrawn_at.is_(None),
        SlotRow.first_day <= last,
        or_(SlotRow.last_day.is_(None), SlotRow.last_day >= first),
    )
    lengths = dict(
        db.execute(
            select(SlotItemRow.slot_id, func.sum(AssetRow.duration_s))
            .join(SlotRow, SlotRow.slot_id == SlotItemRow.slot_id)
            .join(AssetRow, AssetRow.digest == SlotItemRow.asset_digest)
            .where(*here)
            .group_by(SlotItemRow.slot_id)
        ).all()
    )
    reach = _reach(db, [one for one in unit_ids if units.children(one)], here, units)
    known: dict[object, tuple[int, ...]] = {}
    rows = select(
        SlotRow.slot_id,
        SlotRow.unit_id,
        SlotRow.title,
        SlotRow.bulletin_class,
        SlotRow.content_kind,
        SlotRow.recurrence,
        SlotRow.weekdays,
        SlotRow.pattern,
        SlotRow.holidays,
        SlotRow.local_start,
        SlotRow.duration_s,
        SlotRow.first_day,
        SlotRow.last_day,
        SlotRow.excluded_days,
        SlotRow.version,
    ).where(*here)
    for row in db.execute(rows.order_by(SlotRow.local_start, SlotRow.slot_id)):
        at = row.local_start
        start_s = at.hour * 3600 + at.minute * 60 + at.second
        days = _days(row, first, last, known)
        if days and days[0] == -1 and start_s + row.duration_s <= _DAY_S:
            days = days[1:]
        if days:
            yield DeskSlot(
                row.slot_id,
                row.unit_id,
                row.title,
                row.bulletin_class,
                row.content_kind,
                row.recurrence,
                start_s,
                row.duration_s,
                lengths.get(row.slot_id) if row.content_kind == "files" else None,
                row.version,
                days,
                reach.get(row.slot_id),
            )


def _days(
    row: Row[*tuple[Any, ...]], first: date, last: date, known: dict[object, tuple[int, ...]]
) -> tuple[int, ...]:
    """Count the days of a rule from the day after ``first``; rules alike in them share the work."""
    quick = row.recurrence in _QUICK and row.recurrence != Recurrence.ONCE
    alike = (
        row.recurrence,
        row.weekdays,
        row.pattern,
        row.holidays,
        tuple(row.excluded_days),
        # A rule that goes by the day may as well have begun yesterday; others count from there.
        max(row.first_day, first) if quick else row.first_day,
        min(row.last_day or last, last),
    )
    if alike not in known:
        days = rule_of(row).days(first, last)
        known[alike] = tuple((day - first).days - 1 for day in days)
    return known[alike]


def _reach(
    db: Session, unit_ids: Collection[str], here: tuple[Any, ...], units: Tree
) -> dict[str, tuple[str, ...]]:
    """Tell, of the slots of units with others below, which of those they reach, where not all."""
    if not unit_ids:
        return {}
    rows = db.execute(
        select(SlotRow.slot_id, SlotRow.unit_id, SlotTargetRow.kind, SlotTargetRow.ref)
        .join(SlotTargetRow, SlotTargetRow.slot_id == SlotRow.slot_id)
        .where(*here, SlotRow.unit_id.in_(unit_ids), SlotTargetRow.kind != "except")
    )
    reached: dict[str, set[str]] = {}
    whole: set[str] = set()
    for slot_id, unit_id, kind, ref in rows:
        if kind == "unit" and ref == unit_id:
            whole.add(slot_id)
        reached.setdefault(slot_id, set()).update(_units_of(kind, ref, units))
    return {slot: tuple(sorted(found)) for slot, found in reached.items() if slot not in whole}


def _units_of(kind: str, ref: str, units: Tree) -> Iterable[str]:
    match kind:
        case "unit":
            return (ref,)
        case "group":
            return {
                units.clusters[one] for one in units.groups.get(ref, ()) if one in units.clusters
            }
        case _:
            return (units.clusters[ref],) if ref in units.clusters else ()
