"""What is planned at a unit, and what sounded there, for calendars, print and spreadsheets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, demand
from server.domain.errors import ExportRefusedError, Finding
from server.domain.recurrence import Rule, day_bounds, local_day
from server.domain.units import Tree, Unit
from server.services import as_run, monitoring
from server.services.grouping import groups
from server.services.slot_values import refs, slot_value
from server.services.units import tree
from server.store.models import AsRunRow, ClusterRow, SlotRow
from server.store.queries.among import among
from server.store.queries.lists import WHOLE_SLOT

MOST_DAYS = 400
MOST_ROWS = 20_000

_PLACES = ("unit", "group", "cluster")


class Whose(StrEnum):
    """Whose slots are meant, seen from a unit.

    ``HEARD`` are its own and those of the units above that reach loudspeakers of it; ``UNDER`` its
    own and those of all units under it.
    """

    OWN = "own"
    HEARD = "heard"
    UNDER = "under"


@dataclass(frozen=True, slots=True)
class PlannedSlot:
    """A slot, its unit, and where it is heard, in names.

    Attributes:
        where: Names of what it reaches: units, groups, villages.
        but: Names of the clusters left out.
    """

    row: SlotRow
    unit: Unit
    rule: Rule
    where: tuple[str, ...]
    but: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """Slots seen from a unit."""

    unit: Unit
    slots: tuple[PlannedSlot, ...]


@dataclass(frozen=True, slots=True)
class PlannedOccurrence:
    """One time that a slot comes."""

    slot: PlannedSlot
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Sounded:
    """One record, with the names of what was to sound and where."""

    row: AsRunRow
    title: str
    bulletin_class: str
    cluster: str
    village: str
    unit_name: str


def planned(
    db: Session,
    unit_id: str,
    *,
    whose: Whose,
    now: datetime,
    actor: Actor,
    withdrawn_since: datetime | None = None,
) -> Planned:
    """List slots by time of day; with ``withdrawn_since`` also those withdrawn after it.

    Raises:
        UnknownThingError: No such unit today.
        NotAllowedError: The actor may not see it.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.VIEW, units.chain(unit_id))
    rows = _rows(db, _unit_ids(units, unit_id, whose), withdrawn_since)
    under = units.clusters_under(unit_id)
    slots = [
        (row, slot.rule)
        for row, slot in ((row, slot_value(row, units)) for row in rows)
        if whose is not Whose.HEARD or row.unit_id == unit_id or slot.clusters & under
    ]
    names = _names(db, [row for row, _rule in slots], units)
    made = (_slot(row, rule, units, names) for row, rule in slots)
    return Planned(units.unit(unit_id), tuple(made))


def occurrences(
    slots: Iterable[PlannedSlot], start: datetime, end: datetime, *, most: int = MOST_ROWS
) -> list[PlannedOccurrence]:
    """List, in order, when slots come from ``start`` to ``end``; not before they were made.

    Raises:
        ExportRefusedError: There are more than ``most``.
    """
    found: list[PlannedOccurrence] = []
    for slot in slots:
        coming = (
            PlannedOccurrence(slot, begins, ends)
            for begins, ends in slot.rule.occurrences(start, end)
            if begins >= slot.row.created_at
        )
        found.extend(islice(coming, most + 1 - len(found)))
        _demand_few(found, most)
    return sorted(found, key=lambda one: (one.start, one.end, one.slot.row.slot_id))


def sounded(
    db: Session,
    unit_id: str,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    actor: Actor,
    cluster_id: str | None = None,
    most: int = MOST_ROWS,
) -> list[Sounded]:
    """List, in order, the records of a unit's loudspeakers, or of one of them.

    Raises:
        UnknownThingError: No such unit today.
        NotAllowedError: The actor may not see it.
        ExportRefusedError: There are more than ``most``.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.VIEW, units.chain(unit_id))
    under = units.clusters_under(unit_id)
    rows = as_run.records(
        db,
        since=since,
        until=until,
        # Whoever is above all clusters also has the records of those that are no more.
        clusters=None if len(under) == len(units.clusters) else under,
        cluster_id=cluster_id,
        limit=most + 1,
    )
    _demand_few(rows, most)
    titles = monitoring.titles_of(db, {row.claim_id for row in rows})
    places = _places(db, {row.cluster_id for row in rows})
    made = [_sounded(row, titles, places, units) for row in rows]
    return sorted(made, key=lambda one: (one.row.start or one.row.recorded_at, one.row.as_run_id))


def stretch(first: date, last: date) -> tuple[datetime, datetime]:
    """Give the instants from the first day to the end of the last.

    Raises:
        ExportRefusedError: They are exchanged, or too far apart.
    """
    start, end = day_bounds(first)[0], day_bounds(last)[1]
    demand_short(start, end)
    return start, end


def demand_short(start: datetime, end: datetime) -> None:
    """Go on only when a stretch runs forward, and no longer than may be asked for at once.

    Raises:
        ExportRefusedError: It does not.
    """
    if end <= start:
        raise ExportRefusedError([Finding("days-reversed")])
    if end - start > timedelta(days=MOST_DAYS):
        raise ExportRefusedError([Finding("too-many-days", {"most": str(MOST_DAYS)})])


def _demand_few(found: Sequence[object], most: int) -> None:
    if len(found) > most:
        raise ExportRefusedError([Finding("too-many-rows", {"most": str(most)})])


def _unit_ids(units: Tree, unit_id: str, whose: Whose) -> Iterable[str]:
    match whose:
        case Whose.OWN:
            return (unit_id,)
        case Whose.HEARD:
            return units.chain(unit_id)
        case Whose.UNDER:
            return units.subtree(unit_id)


def _rows(
    db: Session, unit_ids: Iterable[str], withdrawn_since: datetime | None
) -> Sequence[SlotRow]:
    rows = select(SlotRow).where(SlotRow.unit_id.in_(tuple(unit_ids)))
    there = SlotRow.withdrawn_at.is_(None)
    if withdrawn_since is None:
        rows = rows.where(there)
    else:
        rows = rows.where(there | (SlotRow.withdrawn_at >= withdrawn_since))
    ordered = rows.order_by(SlotRow.local_start, SlotRow.first_day, SlotRow.slot_id)
    return db.scalars(ordered.options(*WHOLE_SLOT)).all()


def _slot(
    row: SlotRow, rule: Rule, units: Tree, names: Mapping[tuple[str, str], str]
) -> PlannedSlot:
    where = (names.get((kind, ref)) for kind in _PLACES for ref in refs(row, kind))
    but = (names.get(("cluster", ref)) for ref in refs(row, "except"))
    return PlannedSlot(
        row,
        units.unit(row.unit_id),
        rule,
        tuple(dict.fromkeys(filter(None, where))),
        tuple(dict.fromkeys(filter(None, but))),
    )


def _names(db: Session, rows: Iterable[SlotRow], units: Tree) -> Mapping[tuple[str, str], str]:
    """Name what slots target, by kind and id; what is no more has no name."""
    targets = [target for row in rows for target in row.targets]
    clusters = {target.ref for target in targets if target.kind in {"cluster", "except"}}
    names = {("cluster", ref): place[1] or place[0] for ref, place in _places(db, clusters).items()}
    names |= {("unit", unit_id): unit.name for unit_id, unit in units.units.items()}
    if any(target.kind == "group" for target in targets):
        names |= {("group", group.group_id): group.name for group in groups(db)}
    return names


def _places(db: Session, clusters: Iterable[str]) -> Mapping[str, tuple[str, str]]:
    """Find name and village of clusters."""
    rows = select(ClusterRow.cluster_id, ClusterRow.name, ClusterRow.village).where(
        among(ClusterRow.cluster_id, clusters)
    )
    return {cluster_id: (name, village) for cluster_id, name, village in db.execute(rows)}


def _sounded(
    row: AsRunRow,
    titles: Mapping[str, tuple[str, str]],
    places: Mapping[str, tuple[str, str]],
    units: Tree,
) -> Sounded:
    title, bulletin_class = titles.get(row.claim_id, (row.claim_id, ""))
    name, village = places.get(row.cluster_id, (row.cluster_id, ""))
    unit = units.units.get(units.clusters.get(row.cluster_id, ""))
    return Sounded(row, title, bulletin_class, name, village, unit.name if unit else "")
