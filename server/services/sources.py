"""What plans are compiled from, boiled down to a digest for each unit."""

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.units import Tree
from server.services.keyring import certificates_by_unit
from server.store.models import BroadcastRow, FrameRow, SlotRow, SlotTargetRow

RECIPE = 1
"""Raised when the same sources compile to something else than before."""


def sources(
    db: Session,
    *,
    units: Tree,
    start: datetime,
    end: datetime,
    now: datetime,
    unit_id: str | None = None,
) -> dict[str, str]:
    """Digest, for each unit or for one, all that its plan from ``start`` to ``end`` rests on."""
    wanted = list(units.units) if unit_id is None else [unit_id]
    rests_on: dict[str, list[object]] = {
        unit: [RECIPE, start, end, units.unit(unit).level_rank] for unit in wanted
    }
    slots = select(SlotRow.unit_id, *SlotRow.__table__.c).where(SlotRow.withdrawn_at.is_(None))
    targets = (
        select(SlotRow.unit_id, *SlotTargetRow.__table__.c)
        .join(SlotRow, SlotRow.slot_id == SlotTargetRow.slot_id)
        .where(SlotRow.withdrawn_at.is_(None))
        .order_by(SlotTargetRow.slot_id, SlotTargetRow.kind, SlotTargetRow.ref)
    )
    frames = select(FrameRow.unit_id, *FrameRow.__table__.c)
    live = select(BroadcastRow.unit_id, BroadcastRow.broadcast_id).where(
        BroadcastRow.stopped_at.is_(None), BroadcastRow.end > now
    )
    for rows, owner in (
        (slots.order_by(SlotRow.slot_id), SlotRow.unit_id),
        (targets, SlotRow.unit_id),
        (frames.order_by(FrameRow.frame_id), FrameRow.unit_id),
        (live.order_by(BroadcastRow.broadcast_id), BroadcastRow.unit_id),
    ):
        for row in db.execute(rows if unit_id is None else rows.where(owner == unit_id)):
            if row[0] in rests_on:
                rests_on[row[0]].append(tuple(row))
    for unit, keys in certificates_by_unit(db, wanted, now=now).items():
        rests_on[unit].append(keys)
    return {
        unit: hashlib.sha256(repr(rest).encode()).hexdigest() for unit, rest in rests_on.items()
    }
