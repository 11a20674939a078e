"""When it was one cluster's turn in an entry of a day that was heard in turns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.aired import Entry
from server.domain.units import Tree
from server.services.planning import slots_of
from server.services.turn_taking import noted, turns_of
from server.store.models import OccurrenceRow
from server.store.queries.among import among

TurnsNoted = Mapping[str, Mapping[str, Any]]
"""What ``OccurrenceRow.turns`` says, by claim."""


def noted_for(db: Session, entries: Sequence[Entry], units: Tree) -> TurnsNoted:
    """Tell of some entries in which turns they are heard: as was put down, else as it is now."""
    slots = {entry.claim_id: entry.slot_id for entry in entries if entry.slot_id is not None}
    if not slots:
        return {}
    rows = select(OccurrenceRow.claim_id, OccurrenceRow.turns)
    found = dict(db.execute(rows.where(among(OccurrenceRow.claim_id, slots))).all())
    if units.takes_turns:
        coming = {claim: slot for claim, slot in slots.items() if claim not in found}
        values = slots_of(db, units=units, slot_ids=set(coming.values()))
        taken = turns_of(db, {slot.unit_id for slot in values}, units)
        by_slot = {slot.slot_id: noted(slot, taken) for slot in values}
        found.update((claim, by_slot[slot]) for claim, slot in coming.items() if slot in by_slot)
    return found


def at_cluster(entry: Entry, turns: TurnsNoted, cluster_id: str) -> Entry:
    """Give an entry the time of one cluster's turn, where it is heard in turns."""
    told = turns.get(entry.claim_id)
    if not told:
        return entry
    start = entry.start + timedelta(seconds=told["later_s"].get(cluster_id, 0))
    return replace(entry, start=start, end=start + timedelta(seconds=told["lasts_s"]))
