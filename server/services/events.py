"""Tell open pages what has changed, by number, so that a page that slept can catch up."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from server.store.models import EventRow
from server.store.wake import wake_after_commit


def emit(db: Session, *, kind: str, ref: str, now: datetime) -> None:
    """Say that something has changed; said twice in one transaction, it is said once."""
    if any(isinstance(row, EventRow) and row.kind == kind and row.ref == ref for row in db.new):
        return
    db.add(EventRow(kind=kind, ref=ref, at=now))
    wake_after_commit(db)


def since(db: Session, event_id: int, *, limit: int = 200) -> Sequence[EventRow]:
    """List events after ``event_id``, oldest first."""
    after = select(EventRow).where(EventRow.event_id > event_id)
    return db.scalars(after.order_by(EventRow.event_id).limit(limit)).all()


def newest(db: Session) -> int:
    """Give the number of the newest event, 0 where there is none."""
    return db.scalar(select(func.max(EventRow.event_id))) or 0


def forget(db: Session, *, before: datetime) -> int:
    """Drop events older than ``before``; say how many."""
    gone = delete(EventRow).where(EventRow.at < before).returning(EventRow.event_id)
    return len(db.scalars(gone).all())
