"""What a day holds for some clusters: occurrences, announcements, what is still to come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.domain.aired import Entry, Kind, Tally
from server.domain.recurrence import day_bounds
from server.domain.slots import claim_id, slot_of_claim
from server.domain.units import Tree
from server.services.planning import slots_of
from server.services.units import clusters_of_day
from server.store.models import (
    AsRunRow,
    BroadcastRow,
    DeliveryRow,
    OccurrenceRow,
    SlotRow,
)

FEW = 4
"""The slots of so many units are read by themselves; of more, all are read in one go."""

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class View:
    """Whose day is asked for.

    Attributes:
        clusters: Clusters of the unit on that day.
        under: The unit and those under it, to which the clusters belong.
        issuers: Units whose programmes may reach them: those above too.
        whole: Whether that is all clusters of the province.
    """

    day: date
    units: Tree
    clusters: frozenset[str]
    under: frozenset[str]
    issuers: frozenset[str]
    whole: bool
    now: datetime

    @property
    def bounds(self) -> Stretch:
        """First instant of the day, and of the next."""
        return day_bounds(self.day)

    def mine(self, column: InstrumentedAttribute[str]) -> ColumnElement[bool] | None:
        """Keep to the clusters in view; None: all are."""
        return None if self.whole else column.in_(clusters_of_day(self.day, self.under))


def occurrences(db: Session, view: View) -> list[Entry]:
    """List the occurrences that have begun and were planned for clusters in view."""
    start, end = view.bounds
    rows = select(
        OccurrenceRow.claim_id,
        OccurrenceRow.slot_id,
        OccurrenceRow.unit_id,
        OccurrenceRow.title,
        OccurrenceRow.bulletin_class,
        OccurrenceRow.start,
        OccurrenceRow.end,
        OccurrenceRow.clusters,
    ).where(
        OccurrenceRow.start >= start,
        OccurrenceRow.start < end,
        OccurrenceRow.unit_id.in_(view.issuers),
    )
    entries = []
    for row in db.execute(rows):
        planned = len(view.clusters.intersection(row.clusters.split(",")))
        if planned:
            entries.append(
                Entry(
                    row.claim_id,
                    Kind.SLOT,
                    row.title,
                    row.unit_id,
                    name_of(view.units, row.unit_id),
                    row.bulletin_class,
                    row.start,
                    row.end,
                    row.slot_id,
                    None,
                    Tally(planned),
                )
            )
    return entries


def announcements(db: Session, view: View) -> list[Entry]:
    """List the announcements of the day, stopped or not, that clusters in view were sent."""
    start, end = view.bounds
    counted = (
        select(BroadcastRow, func.count(DeliveryRow.delivery_id))
        .join(DeliveryRow, DeliveryRow.broadcast_id == BroadcastRow.broadcast_id)
        .where(BroadcastRow.start >= start, BroadcastRow.start < end)
        .where(DeliveryRow.cluster_id.in_(view.clusters))
        .group_by(BroadcastRow.broadcast_id)
    )
    return [
        Entry(
            row.broadcast_id,
            Kind.ANNOUNCEMENT,
            row.title,
            row.unit_id,
            name_of(view.units, row.unit_id),
            row.bulletin_class,
            row.start,
            row.end,
            None,
            row.stopped_at,
            Tally(clusters),
        )
        for row, clusters in db.execute(counted)
    ]


def strangers(db: Session, view: View, rows: Sequence[AsRunRow]) -> list[Entry]:
    """Describe what sounded without being planned, by its slot where that is still known."""
    slots = {
        slot.slot_id: slot
        for slot in db.scalars(
            select(SlotRow).where(
                SlotRow.slot_id.in_({slot_of_claim(row.claim_id) for row in rows})
            )
        )
    }
    entries = []
    for row in rows:
        slot = slots.get(slot_of_claim(row.claim_id))
        unit_id = row.unit_id or (slot.unit_id if slot else "")
        entries.append(
            Entry(
                row.claim_id,
                Kind.UNPLANNED,
                slot.title if slot else "",
                unit_id,
                name_of(view.units, unit_id),
                slot.bulletin_class if slot else "",
                row.start or row.recorded_at,
                None,
                slot.slot_id if slot else None,
                None,
                Tally(),
            )
        )
    return entries


def coming(db: Session, view: View) -> list[Entry]:
    """List what is still to begin on the day, as the slots say now."""
    start, end = view.bounds
    since = max(start, view.now)
    if since >= end:
        return []
    owners = view.issuers if len(view.issuers) <= FEW else (None,)
    entries = []
    for slot in (one for own in owners for one in slots_of(db, units=view.units, unit_id=own)):
        planned = len(slot.clusters & view.clusters)
        if slot.unit_id not in view.issuers or not planned:
            continue
        entries += [
            Entry(
                claim_id(slot.slot_id, begins),
                Kind.SLOT,
                slot.title,
                slot.unit_id,
                slot.unit_name,
                slot.bulletin_class.value,
                begins,
                ends,
                slot.slot_id,
                None,
                Tally(planned, planned),
            )
            for begins, ends in slot.rule.occurrences(since, end)
            if since <= begins < end
        ]
    return entries


def name_of(units: Tree, unit_id: str) -> str:
    """Name a unit of that day; one that was not there by its id."""
    unit = units.units.get(unit_id)
    return unit.name if unit else unit_id
