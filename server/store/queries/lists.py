"""Lists for pages and API: newest first, bounded."""

from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from server.store.models import (
    AssetRow,
    BroadcastRow,
    DeliveryRow,
    NodeRow,
    RefusalRow,
    SlotItemRow,
    SlotRow,
)

WHOLE_SLOT = (
    selectinload(SlotRow.items).joinedload(SlotItemRow.asset),
    selectinload(SlotRow.targets),
)
"""What is read with a slot so that it can be turned into a value."""


def slots_of(db: Session, unit_id: str) -> Sequence[SlotRow]:
    """List a unit's slots that are not withdrawn, by time of day, with items and targets."""
    kept = select(SlotRow).where(SlotRow.unit_id == unit_id, SlotRow.withdrawn_at.is_(None))
    ordered = kept.order_by(SlotRow.local_start, SlotRow.first_day, SlotRow.slot_id)
    return db.scalars(ordered.options(*WHOLE_SLOT)).all()


def slot(db: Session, slot_id: str) -> SlotRow | None:
    """Find a slot, withdrawn or not, with its items and targets."""
    return db.get(SlotRow, slot_id, options=WHOLE_SLOT)


def recent_broadcasts(
    db: Session, *, units: Collection[str] | None, limit: int
) -> Sequence[BroadcastRow]:
    """List announcements of some units, newest first; None: of all."""
    newest = select(BroadcastRow).order_by(BroadcastRow.created_at.desc()).limit(limit)
    if units is not None:
        newest = newest.where(BroadcastRow.unit_id.in_(units))
    return db.scalars(newest).all()


def delivery_counts(db: Session, broadcast_ids: Sequence[str]) -> dict[str, Counter[str]]:
    """Count, for each announcement, its clusters by the state they are in."""
    counted = (
        select(DeliveryRow.broadcast_id, DeliveryRow.state, func.count())
        .where(DeliveryRow.broadcast_id.in_(broadcast_ids))
        .group_by(DeliveryRow.broadcast_id, DeliveryRow.state)
    )
    found: dict[str, Counter[str]] = {one: Counter() for one in broadcast_ids}
    for broadcast_id, state, clusters in db.execute(counted):
        found[broadcast_id][state] = clusters
    return found


def recent_refusals(
    db: Session, *, clusters: Collection[str] | None, limit: int
) -> Sequence[RefusalRow]:
    """List messages refused by nodes of some clusters, or of them, newest first; None: all."""
    newest = select(RefusalRow).order_by(RefusalRow.refusal_id.desc()).limit(limit)
    if clusters is not None:
        newest = newest.join(NodeRow, NodeRow.node_id == RefusalRow.node_id).where(
            NodeRow.cluster_id.in_(clusters)
        )
    return db.scalars(newest).all()


def asset(db: Session, digest: str) -> AssetRow | None:
    """Find an audio file's entry."""
    return db.get(AssetRow, digest)
