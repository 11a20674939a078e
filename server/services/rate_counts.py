"""Count tries in the database, so that all processes see the same number."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, update
from sqlalchemy.orm import Session

from server.store.inserts import upsert
from server.store.models import RateCountRow

KEPT = timedelta(hours=1)
"""How long a count stays after its end, in case a clock is set back."""


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was tried, and when counting begins anew."""

    hits: int
    ends_at: datetime

    def wait_s(self, now: datetime) -> int:
        """Seconds until then, one at least."""
        return max(1, int((self.ends_at - now).total_seconds()) + 1)


def count(db: Session, key: str, *, per: timedelta, now: datetime, amount: int = 1) -> Count:
    """Count a try; the first one begins a stretch of ``per``."""
    ends_at = now + per
    is_over = (RateCountRow.ends_at <= now) | (RateCountRow.ends_at > ends_at + KEPT)
    adding = upsert(db, RateCountRow).values(key=key, hits=amount, ends_at=ends_at)
    told = db.execute(
        adding.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "hits": case((is_over, amount), else_=RateCountRow.hits + amount),
                "ends_at": case((is_over, adding.excluded.ends_at), else_=RateCountRow.ends_at),
            },
        ).returning(RateCountRow.hits, RateCountRow.ends_at)
    ).one()
    return Count(*told)


def counted(db: Session, key: str, *, per: timedelta, now: datetime) -> Count:
    """Tell how often something was tried in the stretch of ``per`` that lasts.

    One that would last much longer was begun by a clock that was ahead: nobody waits for that.
    """
    row = db.get(RateCountRow, key, populate_existing=True)
    if row is None or not now < row.ends_at <= now + per + KEPT:
        return Count(0, now)
    return Count(row.hits, row.ends_at)


def give_back(db: Session, key: str, *, now: datetime) -> None:
    """Count one try less: it was none of those that are to be few."""
    lasting = (RateCountRow.key == key) & (RateCountRow.ends_at > now) & (RateCountRow.hits > 0)
    db.execute(update(RateCountRow).where(lasting).values(hits=RateCountRow.hits - 1))


def clear(db: Session, key: str) -> None:
    """Begin anew."""
    db.execute(delete(RateCountRow).where(RateCountRow.key == key))


def forget(db: Session, *, now: datetime) -> int:
    """Drop what is over; say how many."""
    gone = delete(RateCountRow).where(RateCountRow.ends_at < now - KEPT)
    return len(db.scalars(gone.returning(RateCountRow.key)).all())
