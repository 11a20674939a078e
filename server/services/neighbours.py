"""Whose horns overlap at a unit, in which turns, and whether they take turns on air."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, demand
from server.domain.errors import Finding, UpkeepRefusedError
from server.domain.recurrence import local_day
from server.domain.turn_taking import sharing
from server.domain.turns import LEAST_REACH_M, MOST_REACH_M, Horn, Neighbours
from server.services import audit, events
from server.services.keyring import Keyring
from server.services.planning import PLAN_DAYS, publish_plan, slots_of
from server.services.turn_taking import told_apart
from server.services.units import tree
from server.services.upkeep import place
from server.store.models import ClusterRow, UnitRow
from server.store.queries.among import among


@dataclass(frozen=True, slots=True)
class TooShort:
    """A slot that is heard everywhere at once because it has no room for all turns."""

    slot_id: str
    title: str
    length_s: float
    needed_s: int


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The horns of a unit: who is near whom, and whose turn is when.

    Attributes:
        clusters: All clusters of the unit, by id.
        horns: Where those stand whose place is known, by id.
        near: Each of these with the metres to those it overlaps.
        turns: Their turns, from 0 on.
        takes_turns: Whether the unit's slots are heard in these turns.
        too_short: Those of its slots that would have to be longer for that, where it does.
    """

    clusters: Mapping[str, ClusterRow]
    horns: Mapping[str, Horn]
    near: Neighbours
    turns: Mapping[str, int]
    takes_turns: bool
    too_short: tuple[TooShort, ...]


def overlaps(db: Session, unit_id: str, *, now: datetime, actor: Actor) -> Overlaps:
    """Work out the turns of all clusters under a unit.

    Raises:
        UnknownThingError: No such unit.
        NotAllowedError: The actor may not see it.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.VIEW, units.chain(unit_id))
    under = units.clusters_under(unit_id)
    wanted = select(ClusterRow).where(among(ClusterRow.cluster_id, under))
    rows = {row.cluster_id: row for row in db.scalars(wanted)}
    found = told_apart(db, under)
    takes_turns = units.unit(unit_id).takes_turns
    slots = slots_of(db, units=units, unit_id=unit_id) if takes_turns else ()
    too_short = tuple(
        TooShort(slot.slot_id, slot.title, shared.length_s, shared.needed_s)
        for slot in slots
        if (shared := sharing(slot, found.later)) is not None
        and not shared.fits
        and slot.rule.next_occurrence(now) is not None
    )
    return Overlaps(rows, found.horns, found.near, found.turns, takes_turns, too_short)


def take_turns(
    db: Session,
    unit_id: str,
    *,
    on: bool,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    plan_days: int = PLAN_DAYS,
) -> UnitRow:
    """Say whether loudspeakers that overlap sound the unit's slots in turns. Twice is once.

    Its plan is published with it, all or nothing. It changes when the unit's own programmes are
    heard, so who plans them may.

    Raises:
        UnknownThingError: No such unit.
        NotAllowedError: The actor may not schedule for it.
    """
    demand(actor, Action.SCHEDULE, tree(db, today=local_day(now)).chain(unit_id))
    # Locked: of two who change it at once, the second sees what the first did.
    row = db.get_one(UnitRow, unit_id, with_for_update=True)
    if row.takes_turns is not on:
        row.takes_turns = on
        db.flush()  # the plan is compiled from the rows
        units = tree(db, today=local_day(now))
        publish_plan(db, unit_id, now=now, keyring=keyring, units=units, days=plan_days)
        audit.record(db, actor=actor, action="take-turns", subject=unit_id, now=now, on=on)
        events.emit(db, kind="schedule", ref=unit_id, now=now)
    return row


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
