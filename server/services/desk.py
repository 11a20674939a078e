"""What the desk draws: units, whose time it is there, and which slots come when.

Ten thousand slots are read as columns, not as objects, and slots that come on the same days share
the answer: a province opens in the time of a page.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, demand, may
from server.domain.errors import DeskRefusedError, Finding
from server.domain.frames import TimeFrame
from server.domain.hours import Hold, Piece, pieces
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services.coming_days import ComingDays
from server.services.planning import frames_of
from server.services.units import tree
from server.store.models import AssetRow, SlotItemRow, SlotRow, SlotTargetRow
from server.store.queries.slots import TIMES

MOST_DAYS = 8
MOST_UNITS = 500
_DAY_S = 86_400


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
    """Whose time it is in each unit's week; communes under frames alike share the work."""

    def __init__(self, frames: Sequence[TimeFrame], units: Tree) -> None:
        self._frames, self._units = frames, units
        self._owners = {frame.owner_id for frame in frames}
        self._by_unit: dict[str, list[TimeFrame]] = {}
        for frame in frames:
            self._by_unit.setdefault(frame.unit_id, []).append(frame)
        self._known: dict[object, list[Piece | DeskHours]] = {}

    def of(self, unit_id: str) -> tuple[DeskHours, ...]:
        chain = self._units.chain(unit_id)
        if self._by_unit.keys().isdisjoint(chain):
            return ()
        # A unit that is named as an owner is like no other.
        alike = (
            chain[:-1],
            self._units.unit(unit_id).level_rank,
            tuple(map(_content, self._by_unit.get(unit_id, ()))),
            unit_id if unit_id in self._owners else None,
        )
        if alike not in self._known:
            frames = [frame for frame in self._frames if frame.unit_id in chain]
            week = pieces([self._units.unit(one) for one in chain], frames)
            # What is the unit's own differs from one to the other, the rest is the same.
            self._known[alike] = [
                one if one.owner_id == unit_id else self._hours(one, unit_id) for one in week
            ]
        shared = self._known[alike]
        return tuple(
            one
            if isinstance(one, DeskHours)
            else self._hours(replace(one, owner_id=unit_id), unit_id)
            for one in shared
        )

    def _hours(self, piece: Piece, unit_id: str) -> DeskHours:
        owner = self._units.units.get(piece.owner_id) if piece.owner_id is not None else None
        return DeskHours(
            piece.start,
            piece.end,
            piece.hold.value,
            owner.name if owner else "",
            owner.level_rank if owner else piece.owner_rank,
            own=piece.hold is Hold.OPEN or piece.owner_id == unit_id,
        )


def _content(frame: TimeFrame) -> TimeFrame:
    """Take off a frame by which one of the same content differs in another unit."""
    return replace(frame, unit_id="", frame_id="", legal_reference="")


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
    days = ComingDays(first, last)
    counted: dict[tuple[date, ...], tuple[int, ...]] = {}
    rows = select(
        SlotRow.slot_id,
        SlotRow.unit_id,
        SlotRow.title,
        SlotRow.bulletin_class,
        SlotRow.content_kind,
        SlotRow.version,
        *TIMES,
    ).where(*here)
    ordered = rows.order_by(SlotRow.local_start, SlotRow.slot_id)
    for slot_id, unit_id, title, class_, content, version, *times in db.execute(ordered):
        recurrence, at, duration_s, *_ = times
        begins = days.of(times)
        coming = counted.get(begins)
        if coming is None:
            coming = counted[begins] = tuple((day - start).days for day in begins)
        start_s = at.hour * 3600 + at.minute * 60 + at.second
        if coming and coming[0] == -1 and start_s + duration_s <= _DAY_S:
            coming = coming[1:]
        if coming:
            yield DeskSlot(
                slot_id,
                unit_id,
                title,
                class_,
                content,
                recurrence,
                start_s,
                duration_s,
                lengths.get(slot_id) if content == "files" else None,
                version,
                coming,
                reach.get(slot_id),
            )


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
