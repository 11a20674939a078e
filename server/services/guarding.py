"""The last wall: on PostgreSQL what slots hold is written down where the database compares it.

The check of ``clashing`` answers people; this only stands behind it, against whatever may save a
slot beside the check. Holds that have grown old with the tree are made anew when they stand in
the way, and by the day: nothing is refused here that the check allows.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.domain.clashes import Occupant, SlotClashError, occupant
from server.domain.errors import Finding
from server.domain.holds import holds, ranges
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services.slot_values import slot_value
from server.services.units import tree
from server.store.holds import CLUSTER_NUMBERS, SLOT_GUARDS, SLOT_HOLDS
from server.store.models import SlotRow
from server.store.queries.among import among
from server.store.queries.lists import WHOLE_SLOT

AT_ONCE = 200
"""How many slots are looked at in one transaction."""

_OVERLAP = "23P01"
"""PostgreSQL's word for a broken exclusion constraint."""


def hold(db: Session, slot: Occupant, *, units: Tree, now: datetime) -> None:
    """Hold the time of a slot that has been saved; on SQLite there is one writer and no wall.

    Raises:
        SlotClashError: The database knows of another slot there.
    """
    if not _has_wall(db):
        return
    if _put(db, slot, guarded=not slot.overrides, now=now):
        return
    for other in _standing(db, slot, now):
        _renew(db, other, units, now)
    if not _put(db, slot, guarded=True, now=now):
        raise SlotClashError([Finding("time-taken")], ())


def release(db: Session, slot_id: str) -> None:
    """Let go of the time of a slot."""
    if _has_wall(db):
        db.execute(delete(SLOT_HOLDS).where(SLOT_HOLDS.c.slot_id == slot_id))
        db.execute(delete(SLOT_GUARDS).where(SLOT_GUARDS.c.slot_id == slot_id))


def renew(db: Session, slot_ids: Iterable[str], *, units: Tree, now: datetime) -> None:
    """Hold what slots want by now that something else than their own change has altered.

    Where one meets another, nothing is taken from either: both stay on air.
    """
    if _has_wall(db):
        for slot_id in slot_ids:
            _renew(db, slot_id, units, now)


def refresh(db: Session, *, now: datetime) -> int:
    """Bring some slots' holds up to date that nobody has looked at today; say how many."""
    if not _has_wall(db):
        return 0
    today = local_day(now)
    due = db.scalars(
        select(SlotRow.slot_id)
        .outerjoin(SLOT_GUARDS, SLOT_GUARDS.c.slot_id == SlotRow.slot_id)
        .where(
            SlotRow.withdrawn_at.is_(None),
            or_(SLOT_GUARDS.c.slot_id.is_(None), SLOT_GUARDS.c.checked_on < today),
        )
        .order_by(SlotRow.slot_id)
        .limit(AT_ONCE)
    ).all()
    units = tree(db, today=today) if due else None
    for slot_id in due:
        if units is not None:
            _renew(db, slot_id, units, now)
    return len(due)


def _has_wall(db: Session) -> bool:
    return db.get_bind().dialect.name == "postgresql"


def _renew(db: Session, slot_id: str, units: Tree, now: datetime) -> None:
    """Hold what a slot wants by now; where it meets another, nothing is taken from either."""
    row = db.get(SlotRow, slot_id, options=WHOLE_SLOT, populate_existing=True)
    if row is None or row.withdrawn_at is not None or row.unit_id not in units.units:
        release(db, slot_id)
        return
    slot = occupant(slot_value(row, units), row.overrides)
    if not _put(db, slot, guarded=not slot.overrides, now=now):
        _put(db, slot, guarded=False, now=now)


def _put(db: Session, slot: Occupant, *, guarded: bool, now: datetime) -> bool:
    """Write down what a slot holds, unless it is there; say whether the database took it."""
    numbers = _numbers(db, slot.clusters)
    digest = _digest(slot, numbers, local_day(now), guarded=guarded)
    known = db.scalar(select(SLOT_GUARDS.c.digest).where(SLOT_GUARDS.c.slot_id == slot.slot_id))
    try:
        with db.begin_nested():
            if known != digest:
                db.execute(delete(SLOT_HOLDS).where(SLOT_HOLDS.c.slot_id == slot.slot_id))
                rows = _rows(slot, numbers, guarded=guarded, now=now)
                if rows:
                    db.execute(insert(SLOT_HOLDS), rows)
            facts = {"checked_on": local_day(now), "digest": digest}
            db.execute(
                upsert(SLOT_GUARDS)
                .values(slot_id=slot.slot_id, **facts)
                .on_conflict_do_update(index_elements=["slot_id"], set_=facts)
            )
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != _OVERLAP:
            raise
        return False
    return True


def _rows(
    slot: Occupant, numbers: Sequence[int], *, guarded: bool, now: datetime
) -> list[dict[str, object]]:
    clusters = [Range(*one) for one in ranges(numbers)]
    if not clusters:
        return []
    return [
        {
            "slot_id": slot.slot_id,
            "stretch": Range(*one.stretch),
            "weeks": [Range(*weeks) for weeks in one.weeks],
            "clusters": clusters,
            "guarded": guarded,
        }
        for one in holds(slot.bulletin_class, slot.rule, now)
    ]


def _standing(db: Session, slot: Occupant, now: datetime) -> list[str]:
    """List the slots whose holds are in the way."""
    found: dict[str, None] = {}
    for row in _rows(slot, _numbers(db, slot.clusters), guarded=True, now=now):
        others = select(SLOT_HOLDS.c.slot_id).where(
            SLOT_HOLDS.c.guarded,
            SLOT_HOLDS.c.slot_id != slot.slot_id,
            SLOT_HOLDS.c.stretch.overlaps(row["stretch"]),
            SLOT_HOLDS.c.weeks.overlaps(row["weeks"]),
            SLOT_HOLDS.c.clusters.overlaps(row["clusters"]),
        )
        found.update(dict.fromkeys(db.scalars(others)))
    return list(found)


def _numbers(db: Session, clusters: Iterable[str]) -> list[int]:
    """Number clusters, those that have none yet too."""
    wanted = sorted(clusters)
    known = _known(db, wanted)
    missing = [{"cluster_id": one} for one in wanted if one not in known]
    if missing:
        db.execute(upsert(CLUSTER_NUMBERS).on_conflict_do_nothing(), missing)
        known = _known(db, wanted)
    return sorted(known.values())


def _known(db: Session, clusters: Sequence[str]) -> dict[str, int]:
    rows = db.execute(
        select(CLUSTER_NUMBERS.c.cluster_id, CLUSTER_NUMBERS.c.number).where(
            among(CLUSTER_NUMBERS.c.cluster_id, clusters)
        )
    ).all()
    return {row.cluster_id: row.number for row in rows}


def _digest(slot: Occupant, numbers: Sequence[int], today: date, *, guarded: bool) -> str:
    """Sum up what holds are made of; what is listed day by day is listed anew every month."""
    month = "" if slot.rule.by_the_week else f"{today:%Y-%m}"
    rule = replace(slot.rule, excluded=frozenset())  # a set has no order of its own
    left_out = sorted(slot.rule.excluded)
    said = (slot.bulletin_class, rule, left_out, ranges(numbers), month, guarded)
    return hashlib.sha256(repr(said).encode()).hexdigest()
