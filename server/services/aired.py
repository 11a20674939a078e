"""Planned against aired: each planned occurrence of a day, and what clusters said of it."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from server.domain.aired import Entry, Kind, Tally, Told, tally, total
from server.domain.errors import UnknownThingError
from server.domain.units import Tree
from server.services import aired_entries
from server.services.aired_entries import Stretch, View, name_of
from server.services.aired_turns import at_cluster, noted_for
from server.services.as_run import segments_of
from server.services.planning import slots_of
from server.services.units import tree
from server.store.models import AsRunRow, BroadcastRow, ClusterRow, DeliveryRow, OccurrenceRow
from server.store.queries.among import among


@dataclass(frozen=True, slots=True)
class AiredDay:
    """A day of one unit's clusters, in the tree of that day."""

    units: Tree
    entries: tuple[Entry, ...]
    total: Tally


@dataclass(frozen=True, slots=True)
class AtCluster:
    """One claim at one cluster; no outcome: nothing has been heard of it yet."""

    entry: Entry
    cluster_id: str
    cluster_name: str
    village: str
    unit_name: str
    outcome: str
    reason: str
    heard: tuple[Stretch, ...]

    @property
    def sounded_s(self) -> float:
        """How long it was heard, in seconds."""
        return sum((end - start).total_seconds() for start, end in self.heard)


def day_of_unit(db: Session, unit_id: str, *, day: date, now: datetime) -> AiredDay:
    """Lay the plans of a unit's clusters against what they sounded, in the tree of that day.

    Raises:
        UnknownThingError: There was no such unit on that day.
    """
    view = _view(db, unit_id, day, now)
    entries = (
        *_occurrences(db, view),
        *_announcements(db, view),
        *_unplanned(db, view),
    )
    known = {entry.claim_id for entry in entries}
    coming = (entry for entry in aired_entries.coming(db, view) if entry.claim_id not in known)
    ordered = tuple(sorted((*entries, *coming), key=lambda one: (one.start, one.claim_id)))
    return AiredDay(view.units, ordered, total(entry.tally for entry in ordered))


def claim_at_unit(
    db: Session, unit_id: str, claim: str, *, day: date, now: datetime
) -> tuple[Entry, list[AtCluster]]:
    """Tell what became of one claim of a day at each of a unit's clusters.

    Raises:
        UnknownThingError: No such unit, or nothing of that name, on that day.
    """
    found = day_of_unit(db, unit_id, day=day, now=now)
    entry = next((one for one in found.entries if one.claim_id == claim), None)
    if entry is None:
        raise UnknownThingError("claim", claim)
    under = found.units.clusters_under(unit_id)
    rows = db.scalars(select(AsRunRow).where(AsRunRow.claim_id == claim)).all()
    told = {row.cluster_id: row for row in rows if row.cluster_id in under}
    meant = (_meant(db, entry, found.units) & under) | told.keys()
    clusters, turns = _names(db, meant), noted_for(db, [entry], found.units)
    return entry, [
        _at(at_cluster(entry, turns, one), clusters[one], told.get(one), found.units)
        for one in clusters
    ]


def day_of_cluster(db: Session, cluster_id: str, *, day: date, now: datetime) -> list[AtCluster]:
    """Lay one cluster's plans of a day against what it sounded.

    Raises:
        UnknownThingError: There was no such cluster on that day.
    """
    units = tree(db, today=day)
    chain = units.chain_of_cluster(cluster_id)
    view = View(
        day,
        units,
        frozenset({cluster_id}),
        frozenset(chain[-1:]),
        frozenset(chain),
        whole=False,
        now=now,
    )
    entries = [*aired_entries.occurrences(db, view), *aired_entries.announcements(db, view)]
    start, end = view.bounds
    heard = or_(
        AsRunRow.claim_id.in_([entry.claim_id for entry in entries]),
        (AsRunRow.start >= start) & (AsRunRow.start < end),
    )
    rows = select(AsRunRow).where(AsRunRow.cluster_id == cluster_id, heard)
    told = {row.claim_id: row for row in db.scalars(rows)}
    known = {entry.claim_id for entry in entries}
    entries += aired_entries.strangers(
        db, view, [row for row in told.values() if row.claim_id not in known]
    )
    known |= told.keys()
    entries += [one for one in aired_entries.coming(db, view) if one.claim_id not in known]
    cluster = _names(db, [cluster_id])[cluster_id]
    turns = noted_for(db, entries, units)
    entries = [at_cluster(entry, turns, cluster_id) for entry in entries]
    ordered = sorted(entries, key=lambda one: (one.start, one.claim_id))
    return [_at(entry, cluster, told.get(entry.claim_id), units) for entry in ordered]


def cluster_named(db: Session, cluster_id: str) -> ClusterRow:
    """Find a cluster, whether or not it still stands.

    Raises:
        UnknownThingError: There never was one of that id.
    """
    row = db.get(ClusterRow, cluster_id)
    if row is None:
        raise UnknownThingError("cluster", cluster_id)
    return row


def _view(db: Session, unit_id: str, day: date, now: datetime) -> View:
    units = tree(db, today=day)
    under = frozenset(units.subtree(unit_id))
    clusters = units.clusters_under(unit_id)
    whole = len(clusters) == len(units.clusters)
    issuers = under.union(units.chain(unit_id))
    return View(day, units, clusters, under, issuers, whole, now)


def _occurrences(db: Session, view: View) -> list[Entry]:
    """List the occurrences that have begun, counted."""
    start, end = view.bounds
    bare = aired_entries.occurrences(db, view)
    claims = select(OccurrenceRow.claim_id).where(
        OccurrenceRow.start >= start, OccurrenceRow.start < end
    )
    told = _told(db, view, claims)
    still_open = claims.where(OccurrenceRow.closed_at.is_(None))
    heard_of = _heard_of(db, view, still_open)
    return [
        replace(
            entry,
            tally=tally(
                entry.tally.planned,
                # Of an occurrence that has been closed every cluster has its record.
                entry.tally.planned - heard_of[entry.claim_id] if entry.claim_id in heard_of else 0,
                told.get(entry.claim_id, ()),
            ),
        )
        for entry in bare
    ]


def _announcements(db: Session, view: View) -> list[Entry]:
    """List the announcements of the day, counted."""
    bare = aired_entries.announcements(db, view)
    if not bare:
        return []
    claims = [entry.claim_id for entry in bare]
    wanted = select(BroadcastRow.broadcast_id).where(BroadcastRow.broadcast_id.in_(claims))
    told = _told(db, view, wanted)
    heard_of = _heard_of(db, view, wanted)
    return [
        replace(
            entry,
            tally=tally(
                entry.tally.planned,
                max(0, entry.tally.planned - heard_of[entry.claim_id]),
                told.get(entry.claim_id, ()),
            ),
        )
        for entry in bare
    ]


def _unplanned(db: Session, view: View) -> list[Entry]:
    """List what sounded on the day and is in no plan of which anything is known."""
    start, end = view.bounds
    mine = view.mine(AsRunRow.cluster_id)
    heard = select(AsRunRow.claim_id).where(AsRunRow.start >= start, AsRunRow.start < end)
    if mine is not None:
        heard = heard.where(mine)
    sounded = heard.distinct().subquery().c.claim_id
    strange = db.scalars(
        select(sounded).where(
            ~exists().where(OccurrenceRow.claim_id == sounded),
            ~exists().where(BroadcastRow.broadcast_id == sounded),
        )
    ).all()
    if not strange:
        return []
    rows = select(AsRunRow).where(
        AsRunRow.claim_id.in_(strange), AsRunRow.start >= start, AsRunRow.start < end
    )
    if mine is not None:
        rows = rows.where(mine)
    by_claim: dict[str, list[AsRunRow]] = defaultdict(list)
    for row in db.scalars(rows):
        by_claim[row.claim_id].append(row)
    entries = aired_entries.strangers(db, view, [rows[0] for rows in by_claim.values()])
    return [
        replace(
            entry,
            start=min(row.start for row in by_claim[entry.claim_id] if row.start),
            tally=tally(
                0, 0, (Told(row.outcome, row.reason, 1) for row in by_claim[entry.claim_id])
            ),
        )
        for entry in entries
    ]


def _told(db: Session, view: View, claims: Select[str]) -> dict[str, list[Told]]:
    """Count, for each of some claims, the clusters in view that said the same."""
    rows = (
        select(AsRunRow.claim_id, AsRunRow.outcome, AsRunRow.reason, func.count())
        .where(AsRunRow.claim_id.in_(claims))
        .group_by(AsRunRow.claim_id, AsRunRow.outcome, AsRunRow.reason)
    )
    mine = view.mine(AsRunRow.cluster_id)
    found: dict[str, list[Told]] = defaultdict(list)
    for claim, outcome, reason, clusters in db.execute(rows if mine is None else rows.where(mine)):
        found[claim].append(Told(outcome, reason, clusters))
    return found


def _heard_of(db: Session, view: View, claims: Select[str]) -> dict[str, int]:
    """Count the clusters in view that have a record, for each of some claims; 0 counts too."""
    rows = (
        select(AsRunRow.claim_id, func.count())
        .where(AsRunRow.claim_id.in_(claims))
        .group_by(AsRunRow.claim_id)
    )
    mine = view.mine(AsRunRow.cluster_id)
    counted = dict.fromkeys(db.scalars(claims), 0)
    counted.update(db.execute(rows if mine is None else rows.where(mine)).all())
    return counted


def _meant(db: Session, entry: Entry, units: Tree) -> frozenset[str]:
    """Name the clusters that an entry was planned for."""
    if entry.kind is Kind.ANNOUNCEMENT:
        rows = select(DeliveryRow.cluster_id).where(DeliveryRow.broadcast_id == entry.claim_id)
        return frozenset(db.scalars(rows))
    noted = db.get(OccurrenceRow, entry.claim_id)
    if noted is not None:
        return frozenset(filter(None, noted.clusters.split(",")))
    if entry.kind is Kind.UNPLANNED:
        return frozenset()
    slots = slots_of(db, units=units, unit_id=entry.unit_id)
    return next((slot.clusters for slot in slots if slot.slot_id == entry.slot_id), frozenset())


def _names(db: Session, clusters: Collection[str]) -> dict[str, ClusterRow]:
    rows = select(ClusterRow).where(among(ClusterRow.cluster_id, clusters))
    ordered = rows.order_by(ClusterRow.village, ClusterRow.name)
    return {row.cluster_id: row for row in db.scalars(ordered)}


def _at(entry: Entry, cluster: ClusterRow, row: AsRunRow | None, units: Tree) -> AtCluster:
    unit = units.clusters.get(cluster.cluster_id, "")
    return AtCluster(
        entry,
        cluster.cluster_id,
        cluster.name,
        cluster.village,
        name_of(units, unit),
        row.outcome if row else "",
        row.reason if row else "",
        segments_of(row) if row else (),
    )
