"""Whose horns overlap at a unit, and in which turn each would speak."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, demand
from server.domain.errors import Finding, UpkeepRefusedError
from server.domain.recurrence import local_day
from server.domain.turns import (
    ASSUMED_REACH_M,
    LEAST_REACH_M,
    MOST_REACH_M,
    Horn,
    Neighbours,
    neighbours,
    turns,
)
from server.services import audit, events
from server.services.units import tree
from server.services.upkeep import place
from server.store.models import ClusterRow
from server.store.queries.among import among


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The horns of a unit: who is near whom, and whose turn is when.

    Attributes:
        clusters: All clusters of the unit, by id.
        near: Those whose place is known, each with the metres to those it overlaps.
        turns: Their turns, from 0 on.
    """

    clusters: Mapping[str, ClusterRow]
    near: Neighbours
    turns: Mapping[str, int]


def overlaps(db: Session, unit_id: str, *, now: datetime, actor: Actor) -> Overlaps:
    """Work out the turns of all clusters under a unit.

    Raises:
        UnknownThingError: No such unit.
        NotAllowedError: The actor may not see it.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.VIEW, units.chain(unit_id))
    wanted = select(ClusterRow).where(among(ClusterRow.cluster_id, units.clusters_under(unit_id)))
    rows = {row.cluster_id: row for row in db.scalars(wanted)}
    near = neighbours(horn for row in rows.values() if (horn := _horn(row)) is not None)
    return Overlaps(rows, near, turns(near))


def set_reach(
    db: Session, cluster_id: str, reach_m: int | None, *, now: datetime, actor: Actor
) -> ClusterRow:
    """Say how far the horns of a cluster are understood; None: nobody knows.

    Raises:
        UnknownThingError: No such cluster.
        NotAllowedError: The actor may not look after it.
        UpkeepRefusedError: No horn reaches so far, or so near.
    """
    row, _node, _units = place(db, cluster_id, now=now, actor=actor)
    if reach_m is not None and not LEAST_REACH_M <= reach_m <= MOST_REACH_M:
        facts = {"least": str(LEAST_REACH_M), "most": str(MOST_REACH_M)}
        raise UpkeepRefusedError([Finding("bad-reach", facts)])
    if row.reach_m != reach_m:
        audit.record(
            db, actor=actor, action="set-reach", subject=cluster_id, now=now, reach_m=reach_m
        )
        row.reach_m = reach_m
        events.emit(db, kind="cluster", ref=cluster_id, now=now)
    return row


def _horn(row: ClusterRow) -> Horn | None:
    if row.latitude is None or row.longitude is None:
        return None
    reach_m = ASSUMED_REACH_M if row.reach_m is None else row.reach_m
    return Horn(row.cluster_id, row.latitude, row.longitude, float(reach_m))
