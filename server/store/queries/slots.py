"""Slots by the thousand, as plain columns: the store's objects would take several times as long."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from server.store.models import AssetRow, SlotItemRow, SlotRow, SlotTargetRow

_LONGEST = timedelta(days=1)
_FEW = 500
"""How many slots are asked for by their ids."""

_COLUMNS = (
    SlotRow.slot_id,
    SlotRow.unit_id,
    SlotRow.title,
    SlotRow.bulletin_class,
    SlotRow.content_kind,
    SlotRow.relay_url,
    SlotRow.recurrence,
    SlotRow.weekdays,
    SlotRow.pattern,
    SlotRow.holidays,
    SlotRow.local_start,
    SlotRow.duration_s,
    SlotRow.first_day,
    SlotRow.last_day,
    SlotRow.excluded_days,
    SlotRow.languages,
    SlotRow.start_mode,
    SlotRow.wait_s,
    SlotRow.when_cut,
    SlotRow.gain_db,
    SlotRow.created_at,
    SlotRow.version,
)

Target = tuple[str, str]
"""Kind and id of what a slot targets."""


@dataclass(frozen=True, slots=True)
class SlotColumns:
    """A slot with its targets, and its files in order as (digest, length in seconds, bytes)."""

    row: Row[*tuple[Any, ...]]
    targets: Sequence[Target]
    items: Sequence[tuple[str, float, int]]


def slot_columns(db: Session, *wanted: ColumnElement[bool]) -> Iterator[SlotColumns]:
    """Read the slots that are not withdrawn and for which all of ``wanted`` holds, by their ids."""
    kept = (SlotRow.withdrawn_at.is_(None), *wanted)
    rows = db.execute(select(*_COLUMNS).where(*kept).order_by(SlotRow.slot_id)).all()
    if len(rows) <= _FEW:  # to find them twice again takes longer than to name them
        kept = (SlotRow.slot_id.in_([row.slot_id for row in rows]),)
    targets: dict[str, list[Target]] = {}
    picked = select(SlotTargetRow.slot_id, SlotTargetRow.kind, SlotTargetRow.ref)
    for slot_id, kind, ref in db.execute(picked.join(SlotRow).where(*kept)):
        targets.setdefault(slot_id, []).append((kind, ref))
    items: dict[str, list[tuple[str, float, int]]] = {}
    filled = (
        select(SlotItemRow.slot_id, AssetRow.digest, AssetRow.duration_s, AssetRow.size_bytes)
        .join(SlotRow, SlotRow.slot_id == SlotItemRow.slot_id)
        .join(AssetRow, AssetRow.digest == SlotItemRow.asset_digest)
        .order_by(SlotItemRow.slot_id, SlotItemRow.position)
    )
    for slot_id, digest, duration_s, size_bytes in db.execute(filled.where(*kept)):
        items.setdefault(slot_id, []).append((digest, duration_s, size_bytes))
    for row in rows:
        yield SlotColumns(row, targets.get(row.slot_id, ()), items.get(row.slot_id, ()))


def running(first: date, last: date) -> ColumnElement[bool]:
    """Ask for slots of which anything may sound between two local days."""
    not_over = SlotRow.last_day >= first - _LONGEST
    return (SlotRow.first_day <= last) & or_(SlotRow.last_day.is_(None), not_over)


def naming(refs: Collection[str]) -> ColumnElement[bool]:
    """Ask for slots that target one of some units, groups or clusters by its id."""
    named = select(SlotTargetRow.slot_id).where(SlotTargetRow.ref.in_(refs))
    return SlotRow.slot_id.in_(named)
