"""Lists for pages and API: newest first, bounded."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from server.store.models import AssetRow, BroadcastRow, DeliveryRow, NodeRow, RefusalRow, SlotRow


def slots_of(db: Session, unit_id: str) -> Sequence[SlotRow]:
    """List a unit's slots that are not withdrawn, by time of day, with their targets."""
    kept = select(SlotRow).where(SlotRow.unit_id == unit_id, SlotRow.withdrawn_at.is_(None))
    ordered = kept.order_by(SlotRow.local_start, SlotRow.first_day, SlotRow.slot_id)
    return db.scalars(ordered.options(selectinload(SlotRow.targets))).all()


def recent_broadcasts(db: Session, *, limit: int) -> Sequence[BroadcastRow]:
    """List announcements, newest first."""
    newest = select(BroadcastRow).order_by(BroadcastRow.created_at.desc()).limit(limit)
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


def recent_refusals(db: Session, *, limit: int) -> list[tuple[RefusalRow, str | None]]:
    """List refused messages, newest first, with the cluster that the node stands at, if known."""
    rows = (
        select(RefusalRow, NodeRow.cluster_id)
        .outerjoin(NodeRow, NodeRow.node_id == RefusalRow.node_id)
        .order_by(RefusalRow.refusal_id.desc())
        .limit(limit)
    )
    return [(refusal, cluster_id) for refusal, cluster_id in db.execute(rows)]


def asset(db: Session, digest: str) -> AssetRow | None:
    """Find an audio file's entry."""
    return db.get(AssetRow, digest)
