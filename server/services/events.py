"""Tell open pages what has changed, by number, so that a page that slept can catch up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, delete, func, select, text
from sqlalchemy.orm import Session

from server.store.models import EventRow

_SAID = "loa_events_said"

Rows = TypeVar("Rows", bound=Select[Any])


def emit(db: Session, *, kind: str, ref: str, now: datetime) -> None:
    """Say that something has changed; said twice in one transaction, it is said once."""
    of, said = db.info.get(_SAID, (None, set()))
    if of is not None and of is db.get_transaction():
        if (kind, ref) in said:
            return
    else:
        said = set()
    db.add(EventRow(kind=kind, ref=ref, at=now))
    said.add((kind, ref))
    db.info[_SAID] = db.get_transaction(), said


def since(db: Session, event_id: int, *, limit: int = 200) -> Sequence[EventRow]:
    """List events after ``event_id``, oldest first."""
    after = select(EventRow).where(EventRow.event_id > event_id)
    return db.scalars(_settled(db, after).order_by(EventRow.event_id).limit(limit)).all()


def newest(db: Session) -> int:
    """Give the number of the newest event, 0 where there is none."""
    return db.scalar(_settled(db, select(func.max(EventRow.event_id)))) or 0


def forget(db: Session, *, before: datetime) -> int:
    """Drop events older than ``before``; say how many."""
    gone = delete(EventRow).where(EventRow.at < before).returning(EventRow.event_id)
    return len(db.scalars(gone).all())


def _settled(db: Session, rows: Rows) -> Rows:
    """Leave out what a transaction still under way may yet put an earlier number before.

    PostgreSQL gives numbers when rows are inserted, not when they are committed: whoever had read
    up to number 10 would never see a 9 that is committed after it. SQLite has one writer at a time.
    """
    if db.get_bind().dialect.name != "postgresql":
        return rows
    # Ages, because a row's own transaction number is only as wide as wraps round.
    return rows.where(text("age(events.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)"))
