"""The day of a reform: what it passes on, and which nodes are to be told of their new place.

The tree itself has been written down when the reform was approved; nothing has to be done for it
to be another one on the day. Everything here may be done again after it was interrupted.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.authority import Actor
from server.domain.recurrence import local_day
from server.domain.reforms import Drawing, Move
from server.domain.units import Tree
from server.services import audit, configuring, events, guarding
from server.services.reform_effects import Effects, effects
from server.services.reform_rows import pass_on
from server.services.reforming import asked
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import PlanRow, ReformRow, UnitKeyRow


@dataclass(frozen=True, slots=True)
class Telling:
    """Nodes that are still to be told; ``later`` are those that must not be disturbed yet."""

    now: tuple[str, ...]
    later: tuple[str, ...]


def due(db: Session, *, now: datetime) -> list[str]:
    """List the reforms whose day has come and that are not all done, the earliest first."""
    rows = (
        select(ReformRow.reform_id)
        .where(ReformRow.approved_at.is_not(None), ReformRow.done_at.is_(None))
        .where(ReformRow.valid_from <= local_day(now))
        .order_by(ReformRow.valid_from, ReformRow.approved_at, ReformRow.reform_id)
    )
    return list(db.scalars(rows))


def begin(db: Session, reform_id: str, *, now: datetime) -> bool:
    """Pass on what units leave behind that have ended; say whether there was anything to begin."""
    pass_gate(db, "units")
    pass_gate(db, "slots")
    row = db.get_one(ReformRow, reform_id, with_for_update=True)
    # Between the look at the calendar and now somebody may have taken it back.
    if row.began_at is not None or row.approved_at is None:
        return False
    proposal = asked(row)
    before = tree(db, today=row.valid_from - timedelta(days=1))
    after = tree(db, today=row.valid_from)
    drawing = _between(before, after, row)
    found = effects(db, drawing, proposal, now=now)
    pass_on(db, drawing, found, day=row.valid_from, now=now)
    guarding.renew(db, _slots_touched(found), units=after, now=now)
    row.began_at = now
    audit.record(
        db,
        actor=Actor(row.approved_by, ()),
        action="begin-reform",
        subject=reform_id,
        now=now,
        slots={one.slot.slot_id: [passed.unit_id for passed in one.passed] for one in found.slots},
        ended_by_collision=sorted({one.slot.slot_id for one in found.collisions}),
        hours={one.frame_id: one.to for one in found.frames},
        people={f"{one.username} {one.role} {one.unit_id}": one.to for one in found.grants},
        groups={one.group_id: one.to for one in found.groups},
        turns=list(found.turns),
        files={one.digest: one.to for one in found.assets},
        bulletins={f"{one.bulletin_id} {one.unit_id}": one.to for one in found.letters},
        contacts={one.contact_id: one.to for one in found.contacts},
        rules={f"{one.bulletin_class} {one.unit_id}": one.to for one in found.rules},
    )
    events.emit(db, kind="schedule", ref=row.unit_id, now=now)
    return True


def telling(db: Session, reform_id: str, *, now: datetime) -> Telling:
    """List the nodes whose configuration is to name their new place.

    A node is told when every unit of its new place that can speak has a plan, so that it never
    stands under one whose plan is missing; and not while it sounds what only its old place has.
    """
    row = db.get_one(ReformRow, reform_id)
    if row.approved_at is None:
        return Telling((), ())
    units = tree(db, today=local_day(now))
    clusters = _concerned(row, units)
    ready, held = configuring.due_nodes_and_held(db, now=now, clusters=clusters)
    unplanned = _unplanned(db, now)
    if not unplanned:
        return Telling(tuple(ready), tuple(held))
    places = configuring.clusters_of(db, ready)
    waits = [
        node for node in ready if not unplanned.isdisjoint(units.chain_of_cluster(places[node]))
    ]
    return Telling(tuple(node for node in ready if node not in waits), (*held, *waits))


def conclude(db: Session, reform_id: str, *, now: datetime) -> bool:
    """Note that all nodes have been told; say whether they have."""
    left = telling(db, reform_id, now=now)
    if left.now or left.later:
        return False
    row = db.get_one(ReformRow, reform_id, with_for_update=True)
    if row.approved_at is None:
        return False
    row.done_at = now
    audit.record(
        db, actor=Actor(row.approved_by, ()), action="finish-reform", subject=reform_id, now=now
    )
    return True


def _slots_touched(found: Effects) -> list[str]:
    """Name the slots that end, what they pass into, and those with other targets, in this order."""
    ended = [one.slot.slot_id for one in found.slots]
    passed = [slot.slot_id for one in found.slots for slot in one.passed]
    return [*ended, *passed, *(one.slot.slot_id for one in found.reaches)]


def _concerned(row: ReformRow, units: Tree) -> Collection[str]:
    under = (
        units.clusters_under(unit) for unit in row.settled["reparented"] if unit in units.units
    )
    return frozenset(row.settled["moves"]).union(*under)


def _unplanned(db: Session, now: datetime) -> frozenset[str]:
    """Name the units that could speak and have published nothing yet."""
    valid = select(UnitKeyRow.unit_id).where(
        UnitKeyRow.revoked_at.is_(None), UnitKeyRow.valid_to > now
    )
    return frozenset(db.scalars(valid)) - frozenset(db.scalars(select(PlanRow.unit_id)))


def _between(before: Tree, after: Tree, row: ReformRow) -> Drawing:
    """Draw what has happened to the units that the reform has ended, from one day to the next."""
    proposal = asked(row)
    moves = tuple(
        Move(cluster, unit, after.clusters[cluster])
        for cluster, unit in before.clusters.items()
        if cluster in after.clusters and after.clusters[cluster] != unit
    )
    reparented = tuple(
        Move(unit, old, new) for unit, (old, new) in row.settled["reparented"].items()
    )
    ended = tuple(unit for unit in row.settled["ended"] if unit in before.units)
    return Drawing(before, after, proposal.born, ended, moves, reparented, (), ())
