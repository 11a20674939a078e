"""What a reform is drawn on: the tree of its day, and all that it must not touch twice."""

from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.recurrence import local_day
from server.domain.reforms import Ground
from server.services.importing import cluster_facts
from server.services.units import tree
from server.store.models import ClusterUnitRow, LevelRow, UnitEdgeRow, UnitRow


def ground(db: Session, *, valid_from: date, now: datetime) -> Ground:
    """Read what a reform of that day is drawn on."""
    today = local_day(now)
    # A day that has passed is refused anyway; until then it is drawn as of today.
    day = max(valid_from, today)
    units = tree(db, today=day)
    rows = db.execute(
        select(UnitRow.unit_id, UnitRow.latitude, UnitRow.longitude, UnitRow.valid_from)
    ).all()
    return Ground(
        today=today,
        tree=units,
        known=frozenset(row.unit_id for row in rows),
        levels=frozenset(db.scalars(select(LevelRow.rank))),
        points={
            row.unit_id: (row.latitude, row.longitude)
            for row in rows
            if row.unit_id in units.units and row.latitude is not None and row.longitude is not None
        },
        facts=cluster_facts(db, units),
        later=_soonest(_later(db, day)),
        young=frozenset(row.unit_id for row in rows if row.valid_from == day),
    )


def _later(db: Session, day: date) -> Iterator[tuple[str, date]]:
    """Yield each unit and cluster with a change of its own after a day, and the days."""
    for key, begins, ends in (
        (UnitRow.unit_id, UnitRow.valid_from, UnitRow.valid_to),
        (UnitEdgeRow.child_id, UnitEdgeRow.valid_from, UnitEdgeRow.valid_to),
        (ClusterUnitRow.cluster_id, ClusterUnitRow.valid_from, ClusterUnitRow.valid_to),
    ):
        for one, first, last in db.execute(
            select(key, begins, ends).where((begins > day) | (ends > day))
        ):
            yield from ((one, at) for at in (first, last) if at is not None and at > day)


def _soonest(changes: Iterator[tuple[str, date]]) -> dict[str, date]:
    found: dict[str, date] = {}
    for one, day in changes:
        found[one] = min(day, found.get(one, day))
    return found
