"""Slots of lower levels that one of a higher level lies over: who is told, and what is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from server.domain.clashes import clashes, occupant
from server.domain.units import Tree
from server.services import events
from server.services.slot_requests import NewSlot
from server.services.slot_values import slot_value
from server.store.models import SlotRow
from server.store.queries.lists import WHOLE_SLOT

_NONE = "[]"


@dataclass(frozen=True, slots=True)
class Over:
    """A slot that lies over another."""

    title: str
    unit_name: str
    local_start: time


def told(db: Session, new: NewSlot, *, units: Tree, now: datetime) -> dict[str, list[str]]:
    """Tell the units whose slots one may lie over, and name those slots for the audit."""
    if not new.override:
        return {}
    rows = db.scalars(
        select(SlotRow)
        .where(SlotRow.slot_id.in_(new.override), SlotRow.withdrawn_at.is_(None))
        .order_by(SlotRow.slot_id)
    ).all()
    for unit_id in sorted({row.unit_id for row in rows} & units.units.keys()):
        events.emit(db, kind="schedule", ref=unit_id, now=now)
    return {"lies_over": [f"{row.slot_id} {row.title}" for row in rows]}


def lain_over(
    db: Session, rows: Sequence[SlotRow], *, units: Tree, now: datetime
) -> dict[str, list[Over]]:
    """Find for each of some slots, read whole, those of higher levels that lie over it."""
    wanted = {row.slot_id: row for row in rows}
    above = db.scalars(
        select(SlotRow)
        .where(SlotRow.withdrawn_at.is_(None), cast(SlotRow.overrides, Text) != _NONE)
        .order_by(SlotRow.local_start, SlotRow.slot_id)
        .options(*WHOLE_SLOT)
    )
    found: dict[str, list[Over]] = {}
    for row in above:
        met = wanted.keys() & set(row.overrides) if row.unit_id in units.units else ()
        for slot_id in met:
            if _lies_over(row, wanted[slot_id], units, now):
                over = Over(row.title, units.unit(row.unit_id).name, row.local_start)
                found.setdefault(slot_id, []).append(over)
    return found


def _lies_over(row: SlotRow, under: SlotRow, units: Tree, now: datetime) -> bool:
    upper = occupant(slot_value(row, units), row.overrides)
    lower = occupant(slot_value(under, units))
    return upper.may_lie_over(lower) and bool(
        clashes(replace(upper, overrides=frozenset()), [lower], now)
    )
