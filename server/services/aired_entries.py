"""What a day holds for some clusters: occurrences, announcements, what is still to come."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Text, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.domain.aired import Entry, Kind, Tally
from server.domain.recurrence import LOCAL, Recurrence, day_bounds, instant
from server.domain.slots import claim_id, slot_of_claim
from server.domain.units import Tree
from server.domain.upkeep import TALK_TITLE, is_talk_id
from server.services.coming_days import ComingDays
from server.services.slot_values import clusters_of, sorted_out
from server.services.units import clusters_of_day
from server.store.models import (
    AsRunRow,
    BroadcastRow,
    DeliveryRow,
    OccurrenceRow,
    SlotRow,
    SlotTargetRow,
)
from server.store.queries.slots import TIMES

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
                slot.title if slot else TALK_TITLE if is_talk_id(row.claim_id) else "",
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
    """List what is still to begin on the day, as the slots say now.

    A province has thousands a day: they are read as columns, and only those that come on it.
    """
    start, end = view.bounds
    since = max(start, view.now)
    if since >= end:
        return []
    wanted = _may_come(view, since)
    targets: dict[str, list[tuple[str, str]]] = defaultdict(list)
    picked = select(SlotTargetRow.slot_id, SlotTargetRow.kind, SlotTargetRow.ref)
    for slot_id, kind, ref in db.execute(picked.join(SlotRow).where(*wanted)):
        targets[slot_id].append((kind, ref))
    reached = _Reached(view)
    days = ComingDays(view.day, view.day)
    rows = select(
        SlotRow.slot_id,
        SlotRow.unit_id,
        SlotRow.title,
        SlotRow.bulletin_class,
        cast(SlotRow.languages, Text),
        *TIMES,
    ).where(*wanted)
    entries = []
    for slot_id, unit_id, title, class_, languages, *times in db.execute(rows):
        begins = instant(view.day, times[1])
        if begins < since or not days.of(times):
            continue
        planned = reached.how_many(targets[slot_id], languages)
        if planned:
            entries.append(
                Entry(
                    claim_id(slot_id, begins),
                    Kind.SLOT,
                    title,
                    unit_id,
                    name_of(view.units, unit_id),
                    class_,
                    begins,
                    begins + timedelta(seconds=times[2]),
                    slot_id,
                    None,
                    Tally(planned, planned),
                )
            )
    return entries


def _may_come(view: View, since: datetime) -> tuple[ColumnElement[bool], ...]:
    """Ask for the slots of the view that may begin on its day from an instant on."""
    day = view.day
    return (
        SlotRow.withdrawn_at.is_(None),
        SlotRow.unit_id.in_(view.issuers & view.units.units.keys()),
        SlotRow.first_day <= day,
        or_(SlotRow.last_day.is_(None), SlotRow.last_day >= day),
        or_(SlotRow.recurrence != Recurrence.ONCE, SlotRow.first_day == day),
        or_(
            SlotRow.recurrence != Recurrence.WEEKLY,
            SlotRow.weekdays.bitwise_and(1 << day.weekday()) != 0,
        ),
        SlotRow.local_start >= since.astimezone(LOCAL).time(),
    )


class _Reached:
    """Counts the clusters in view that slots reach; many target the same."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[tuple[object, ...], int] = {}

    def how_many(self, targets: Sequence[tuple[str, str]], languages: str) -> int:
        key = (*targets, languages)
        if key not in self._known:
            view = self._view
            clusters = clusters_of(sorted_out(targets), json.loads(languages), view.units)
            self._known[key] = len(clusters & view.clusters)
        return self._known[key]


def name_of(units: Tree, unit_id: str) -> str:
    """Name a unit of that day; one that was not there by its id."""
    unit = units.units.get(unit_id)
    return unit.name if unit else unit_id
