"""What units have said of silence, as plans carry it and as timelines go by it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from protocol.messages import HushState, Mode
from protocol.policy import EVER, Silence, newest_words
from server.store.models import HushRow


def state_of(row: HushRow) -> HushState:
    """Give the newest that was said of one silence."""
    lifted = row.ended_at is not None and row.lift_number is not None
    return HushState(
        hush_id=row.hush_id,
        number=row.lift_number or row.number,
        since=row.since,
        until=row.ended_at if lifted else None,
        mode=Mode(row.mode),
        spares_emergencies=row.spares_emergencies,
        by=row.created_by,
        reason=row.reason,
        lifted_by=(row.lift_asked_by or "", row.ended_by or "") if lifted else (),
    )


def hushes_by_unit(db: Session, unit_ids: Collection[str]) -> dict[str, tuple[HushState, ...]]:
    """Read the newest word of each of some units, in each mode; lifted ones stay for good."""
    rows = db.scalars(select(HushRow).where(HushRow.unit_id.in_(unit_ids)).order_by(HushRow.number))
    found: dict[str, tuple[HushState, ...]] = {}
    for (unit, _mode), state in newest_words((row.unit_id, state_of(row)) for row in rows).items():
        found[unit] = (*found.get(unit, ()), state)
    return found


def silences_by_unit(
    db: Session, unit_ids: Collection[str], *, start: datetime, end: datetime
) -> dict[str, tuple[Silence, ...]]:
    """Read every silence between two instants, those long lifted too: what a cluster went by."""
    rows = db.scalars(
        select(HushRow)
        .where(HushRow.unit_id.in_(unit_ids), HushRow.mode == Mode.REAL)
        .where(HushRow.since < end, or_(HushRow.ended_at.is_(None), HushRow.ended_at > start))
        .order_by(HushRow.number)
    )
    found: dict[str, tuple[Silence, ...]] = {}
    for row in rows:
        silence = Silence(
            row.hush_id,
            row.unit_id,
            row.since,
            row.ended_at or EVER,
            row.spares_emergencies,
        )
        found[row.unit_id] = (*found.get(row.unit_id, ()), silence)
    return found
