"""Which units' plans are worth looking at: those of whose sources a trace has changed.

Digesting all that plans rest on reads every slot. Whoever asks every few seconds keeps a watch
instead, which compares counts and versions, and has only those units digested that differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from server.domain.units import Tree
from server.services import planning, turn_taking
from server.store.models import BroadcastRow, ClaimRankRow, FrameRow, HushRow, SlotRow, UnitKeyRow

LOOKED_AT_ANYWAY = timedelta(minutes=10)
"""How often all units are digested: a change may have left no trace."""

ORDER_ALONE = timedelta(seconds=5)
"""How long the order of an announcement goes alone. All who are there have it by then; the plan,
which says it to those who come later, would keep their answers waiting."""

Trace = tuple[object, ...]

_HUSHES = select(HushRow.unit_id, HushRow.number, HushRow.lift_number).order_by(HushRow.number)


@dataclass(slots=True)
class PlanWatch:
    """Remembers the traces at which units' plans were found in order. Belongs to one thread."""

    _common: Trace = ()
    _by_unit: dict[str, Trace] = field(default_factory=dict)
    _all_looked_at: datetime | None = None

    def due(self, db: Session, *, now: datetime, units: Tree, days: int) -> list[str]:
        """List the units whose newest plan rests on something else than what there is now."""
        # Traces are read before the digests: what changes in between is noticed the next time.
        common, by_unit = _common(db, now, units, days), _by_unit(db, now, units, days)
        last = self._all_looked_at
        if common != self._common or last is None or not last <= now < last + LOOKED_AT_ANYWAY:
            self._by_unit, self._all_looked_at = {}, now
        some = [unit for unit, trace in by_unit.items() if self._by_unit.get(unit) != trace]
        if not some:
            return []
        among = None if len(some) == len(by_unit) else some
        due = planning.due_units(db, now=now, units=units, days=days, among=among)
        # What is due is looked at again, until it has been published.
        self._common = common
        waiting = set(due)
        self._by_unit = {unit: trace for unit, trace in by_unit.items() if unit not in waiting}
        return due


def _common(db: Session, now: datetime, units: Tree, days: int) -> Trace:
    """Sum up what many plans rest on: the day, the tree, places that count, frames and keys."""
    # Frames are few, and changed in place.
    frames = select(*FrameRow.__table__.c).where(FrameRow.withdrawn_at.is_(None))
    laid_down = tuple(map(tuple, db.execute(frames.order_by(FrameRow.frame_id))))
    keys = db.execute(
        select(
            func.count(),
            func.count(UnitKeyRow.revoked_at),
            func.count().filter(UnitKeyRow.valid_to > now),
        ).select_from(UnitKeyRow)
    ).one()
    placed = turn_taking.trace(db, units)
    return (planning.window(now, days), units, placed, laid_down, tuple(keys))


def _by_unit(db: Session, now: datetime, units: Tree, days: int) -> Mapping[str, Trace]:
    """Sum up what each unit's plan rests on by itself: slots, announcements, ranks and hushes."""
    start, _ = planning.window(now, days)
    found: dict[str, list[object]] = {unit: [] for unit in units.units}
    for unit, *trace in chain(
        db.execute(_slots()),
        db.execute(_announcements(now)),
        db.execute(_ranks(start)),
        db.execute(_HUSHES),
    ):
        if unit in found:
            found[unit].extend(trace)
    return {unit: tuple(trace) for unit, trace in found.items()}


def _slots() -> Select[str, int, int, int, datetime | None]:
    """Count the slots of each unit: every change of one raises its version, or withdraws it.

    When the last was withdrawn tells of one that went as another of its version came back.
    """
    return select(
        SlotRow.unit_id,
        func.count(),
        func.count(SlotRow.withdrawn_at),
        func.sum(SlotRow.version),
        func.max(SlotRow.withdrawn_at),
    ).group_by(SlotRow.unit_id)


def _announcements(now: datetime) -> Select[str, str]:
    return (
        select(BroadcastRow.unit_id, BroadcastRow.broadcast_id)
        .where(
            BroadcastRow.stopped_at.is_(None),
            BroadcastRow.end > now,
            BroadcastRow.created_at <= now - ORDER_ALONE,
        )
        .order_by(BroadcastRow.broadcast_id)
    )


def _ranks(start: datetime) -> Select[str, int, datetime]:
    return (
        select(ClaimRankRow.unit_id, func.count(), func.max(ClaimRankRow.given_at))
        .where(ClaimRankRow.ends > start)
        .group_by(ClaimRankRow.unit_id)
    )
