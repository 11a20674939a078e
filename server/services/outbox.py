"""Final bytes on their way to the broker."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from server.store.models import OutboxRow
from server.store.wake import wake_after_commit

KEEP_PUBLISHED = timedelta(days=2)


def post(
    db: Session,
    *,
    topic: str,
    payload: bytes,
    retained: bool,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    """Put a message into the outbox; the gateway is woken by the commit."""
    db.add(
        OutboxRow(
            topic=topic, payload=payload, retained=retained, expires_at=expires_at, created_at=now
        )
    )
    wake_after_commit(db)


def waiting(db: Session, *, now: datetime, limit: int = 500) -> Sequence[OutboxRow]:
    """List what is still to be published, oldest first, without what has expired."""
    rows = (
        select(OutboxRow)
        .where(OutboxRow.published_at.is_(None))
        .where(or_(OutboxRow.expires_at.is_(None), OutboxRow.expires_at > now))
        .order_by(OutboxRow.outbox_id)
        .limit(limit)
    )
    return db.scalars(rows).all()


def mark_published(db: Session, ids: Collection[int], *, now: datetime) -> None:
    """Note that the broker has confirmed these."""
    db.execute(update(OutboxRow).where(OutboxRow.outbox_id.in_(ids)).values(published_at=now))


def drop_expired(db: Session, *, now: datetime) -> int:
    """Drop what came too late and what was published long ago; say how many."""
    late = OutboxRow.published_at.is_(None) & (OutboxRow.expires_at <= now)
    old = OutboxRow.published_at < now - KEEP_PUBLISHED
    gone = delete(OutboxRow).where(or_(late, old)).returning(OutboxRow.outbox_id)
    return len(db.scalars(gone).all())
