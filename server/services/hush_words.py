"""What units have said of silence, as plans carry it and as timelines go by it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from protocol.messages import HushState, Mode
from protocol.policy import EVER, Silence, newest_words
from server.store.models import HushRow
from server.store.queries.among import among
from server.store.types import InstantType

_SAID = select(HushRow).where(among(HushRow.unit_id, "units")).order_by(HushRow.number)
_SILENCES = (
    select(
        HushRow.hush_id,
        HushRow.unit_id,
        HushRow.since,
        HushRow.ended_at,
        HushRow.spares_emergencies,
    )
    .where(
        among(HushRow.unit_id, "units"),
        HushRow.mode == Mode.REAL,
        HushRow.since < bindparam("end", type_=InstantType()),
        or_(HushRow.ended_at.is_(None), HushRow.ended_at > bindparam("start", type_=InstantType())),
    )
    .order_by(HushRow.number)
)


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
    rows = db.scalars(_SAID, {"units": unit_ids})
    found: dict[str, tuple[HushState, ...]] = {}
    for (unit, _mode), state in newest_words((row.unit_id, state_of(row)) for row in rows).items():
        found[unit] = (*found.get(unit, ()), state)
    return found


def silences_by_unit(
    db: Session, unit_ids: Collection[str], *, start: datetime, end: datetime
) -> dict[str, tuple[Silence, ...]]:
    """Read every silence between two instants, those long lifted too: what a cluster went by."""
    found: dict[str, tuple[Silence, ...]] = {}
    asked = {"units": unit_ids, "start": start, "end": end}
    for hush_id, unit_id, since, ended_at, spares_emergencies in db.execute(_SILENCES, asked):
        silence = Silence(hush_id, unit_id, since, ended_at or EVER, spares_emergencies)
        found[unit_id] = (*found.get(unit_id, ()), silence)
    return found
