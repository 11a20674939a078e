"""Lists for pages and API: newest first, bounded."""

from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from server.domain.errors import UnknownThingError
from server.store.models import (
    AsRunRow,
    AssetRow,
    BroadcastRow,
    BulletinRow,
    DeliveryRow,
    NodeRow,
    RefusalRow,
    SlotItemRow,
    SlotRow,
    UserRow,
)
from server.store.queries.among import among

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


def sounded_counts(db: Session, broadcast_ids: Sequence[str]) -> dict[str, Counter[str]]:
    """Count, for each announcement, the clusters where any of it was heard, by their state."""
    counted = (
        select(DeliveryRow.broadcast_id, DeliveryRow.state, func.count())
        .outerjoin(
            AsRunRow,
            (AsRunRow.claim_id == DeliveryRow.broadcast_id)
            & (AsRunRow.cluster_id == DeliveryRow.cluster_id),
        )
        .where(DeliveryRow.broadcast_id.in_(broadcast_ids))
        .where(or_(DeliveryRow.started_at.is_not(None), AsRunRow.start.is_not(None)))
        .group_by(DeliveryRow.broadcast_id, DeliveryRow.state)
    )
    found: dict[str, Counter[str]] = {one: Counter() for one in broadcast_ids}
    for broadcast_id, state, clusters in db.execute(counted):
        found[broadcast_id][state] = clusters
    return found


def full_names(db: Session, logins: Collection[str]) -> dict[str, str]:
    """Tell the full names of people by their log-ins; without one, a log-in names its owner."""
    rows = select(UserRow.username, UserRow.full_name).where(UserRow.username.in_(set(logins)))
    known = {login: name for login, name in db.execute(rows) if name}
    return {login: known.get(login, login) for login in logins}


def recent_refusals(
    db: Session, *, clusters: Collection[str] | None, limit: int
) -> Sequence[RefusalRow]:
    """List messages refused by nodes of some clusters, or of them, newest first; None: all."""
    newest = select(RefusalRow).order_by(RefusalRow.refusal_id.desc()).limit(limit)
    if clusters is not None:
        newest = newest.join(NodeRow, NodeRow.node_id == RefusalRow.node_id).where(
            among(NodeRow.cluster_id, clusters)
        )
    return db.scalars(newest).all()


def asset(db: Session, digest: str) -> AssetRow | None:
    """Find an audio file's entry."""
    return db.get(AssetRow, digest)


def recent_bulletins(
    db: Session, *, units: Collection[str] | None, limit: int
) -> Sequence[BulletinRow]:
    """List bulletins of some units with their history, newest first; None: of all."""
    newest = select(BulletinRow).order_by(BulletinRow.created_at.desc(), BulletinRow.bulletin_id)
    if units is not None:
        newest = newest.where(BulletinRow.unit_id.in_(units))
    return db.scalars(newest.limit(limit).options(selectinload(BulletinRow.acts))).all()


def bulletin(db: Session, bulletin_id: str) -> BulletinRow:
    """Find a bulletin with its history.

    Raises:
        UnknownThingError: There is none of that id.
    """
    row = db.get(BulletinRow, bulletin_id, options=[selectinload(BulletinRow.acts)])
    if row is None:
        raise UnknownThingError("bulletin", bulletin_id)
    return row
