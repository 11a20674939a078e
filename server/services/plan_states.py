"""Which clusters hold which version of the plans above them, and what a late edit still reaches."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.domain.errors import UnknownThingError
from server.domain.nodes import liveness
from server.domain.plan_versions import (
    LATE,
    TakeOver,
    Version,
    behind_since,
    holds_newest,
    is_late,
    take_over,
)
from server.domain.targeting import chosen
from server.domain.units import Tree
from server.services import planning
from server.services.monitoring import NO_NODE
from server.services.slot_requests import NewSlot
from server.services.slot_values import rule_of, slot_value
from server.store.models import (
    ClusterRow,
    NodeRow,
    PlanRow,
    PlanVersionRow,
    SlotRow,
)
from server.store.queries.among import among
from server.store.queries.lists import WHOLE_SLOT

VERSIONS_KEPT = timedelta(days=60)
"""Longer than any node stays away and is not replaced."""


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """The newest plan of one unit, and at how many of the clusters in view it has arrived.

    Attributes:
        until: The last day that it tells of.
    """

    unit_id: str
    unit_name: str
    version: int
    published_at: datetime
    until: date
    holders: int
    clusters: int


@dataclass(frozen=True, slots=True)
class Held:
    """A plan that a cluster holds; no ``published_at``: it was forgotten when that was."""

    unit_id: str
    unit_name: str
    version: int
    published_at: datetime | None
    newest: bool


@dataclass(frozen=True, slots=True)
class ClusterPlans:
    """One cluster: the plans it holds, and since when it lacks a newer one."""

    cluster_id: str
    name: str
    village: str
    unit_id: str
    unit_name: str
    liveness: str
    last_heard_at: datetime | None
    plans: tuple[Held, ...]
    up_to_date: bool
    behind_since: datetime | None
    contact_name: str
    contact_phone: str


@dataclass(frozen=True, slots=True)
class PlansInView:
    """All clusters under a unit, and the plans they go by."""

    plans: tuple[UnitPlan, ...]
    clusters: tuple[ClusterPlans, ...]

    @property
    def up_to_date(self) -> int:
        """How many clusters hold the newest of all plans above them."""
        return sum(cluster.up_to_date for cluster in self.clusters)


@dataclass(frozen=True, slots=True)
class Reached:
    """A late edit at one cluster."""

    cluster_id: str
    name: str
    village: str
    state: TakeOver
    liveness: str
    last_heard_at: datetime | None
    contact_name: str
    contact_phone: str


@dataclass(frozen=True, slots=True)
class LateEdit:
    """An edit of a slot, and the clusters that have taken it over or have not.

    Attributes:
        version: Version of the unit's plan that carries it.
        begins: When the sound begins that it is about.
    """

    slot: SlotRow
    version: int
    begins: datetime
    clusters: tuple[Reached, ...]

    def count(self, *states: TakeOver) -> int:
        """Count the clusters at which it stands so."""
        return sum(cluster.state in states for cluster in self.clusters)


def plans_in_view(db: Session, unit_id: str, *, now: datetime, units: Tree) -> PlansInView:
    """Tell, for every cluster under a unit, which plans it holds of the units above it."""
    under = units.clusters_under(unit_id)
    chains = {cluster: units.chain_of_cluster(cluster) for cluster in under}
    above = {unit for chain in chains.values() for unit in chain} | set(units.chain(unit_id))
    versions = _versions(db, above)
    newest = {unit: rows[-1] for unit, rows in versions.items()}
    states = sorted(
        (
            _cluster_plans(cluster, node, chains[cluster.cluster_id], versions, units, now)
            for cluster, node in _clusters(db, under)
        ),
        key=lambda state: (state.up_to_date, state.unit_name, state.village, state.name),
    )
    holders: dict[str, int] = defaultdict(int)
    meant: dict[str, int] = defaultdict(int)
    for state in states:
        for held in state.plans:
            meant[held.unit_id] += 1
            holders[held.unit_id] += held.newest
    rows = db.scalars(select(PlanRow).where(among(PlanRow.unit_id, newest)))
    last_days = {row.unit_id: planning.last_day(row) for row in rows}
    plans = tuple(
        UnitPlan(
            unit,
            units.unit(unit).name,
            newest[unit].number,
            newest[unit].published_at,
            last_days[unit],
            holders[unit],
            meant[unit],
        )
        for unit in sorted(newest, key=lambda one: (len(units.chain(one)), units.unit(one).name))
    )
    return PlansInView(plans, tuple(states))


def newest_version(db: Session, unit_id: str) -> int:
    """Give the number of the newest plan that a unit has published; 0: none yet."""
    return db.scalar(select(PlanRow.version).where(PlanRow.unit_id == unit_id)) or 0


def at_stake(slot: SlotRow, now: datetime) -> datetime | None:
    """Tell when the sound of a slot began, or begins within a minute; None: it is not late."""
    coming = rule_of(slot).next_occurrence(now)
    return coming[0] if coming is not None and is_late(coming, now) else None


def late_edit(
    db: Session, slot_id: str, *, version: int, begins: datetime, now: datetime, units: Tree
) -> LateEdit:
    """Tell which clusters have taken over an edit of a slot, and which will not in time.

    Raises:
        UnknownThingError: No such slot.
    """
    slot = db.get(SlotRow, slot_id, options=WHOLE_SLOT)
    if slot is None:
        raise UnknownThingError("slot", slot_id)
    meant = slot_value(slot, units).clusters
    reached = tuple(
        Reached(
            cluster.cluster_id,
            cluster.name,
            cluster.village,
            take_over(
                node.plan_versions.get(slot.unit_id, 0) if node else 0,
                version,
                _liveness(node, now),
                now=now,
                begins=begins,
            ),
            _liveness(node, now),
            node.last_heard_at if node else None,
            cluster.contact_name,
            cluster.contact_phone,
        )
        for cluster, node in _clusters(db, meant)
    )
    order = list(TakeOver)
    return LateEdit(
        slot,
        version,
        begins,
        tuple(sorted(reached, key=lambda one: (-order.index(one.state), one.village, one.name))),
    )


def would_miss(db: Session, new: NewSlot, *, now: datetime, units: Tree) -> list[tuple[str, str]]:
    """Name the clusters of a slot to come whose equipment does not answer now: name, village."""
    meant = chosen(
        units,
        units=[unit for unit in new.units if unit in units.units],
        clusters=[cluster for cluster in new.clusters if cluster in units.clusters],
        exclude=new.exclude,
        groups=[group for group in new.groups if group in units.groups],
        languages=new.languages,
    )
    return [
        (cluster.name, cluster.village)
        for cluster, node in _clusters(db, meant)
        if take_over(0, 1, _liveness(node, now), now=now, begins=now + LATE) is TakeOver.UNREACHABLE
    ]


def forget(db: Session, *, now: datetime) -> int:
    """Drop what is known of versions long replaced; say how many."""
    newest = select(PlanRow.version).where(PlanRow.unit_id == PlanVersionRow.unit_id)
    gone = delete(PlanVersionRow).where(
        PlanVersionRow.published_at < now - VERSIONS_KEPT,
        PlanVersionRow.version != newest.scalar_subquery(),
    )
    return len(db.scalars(gone.returning(PlanVersionRow.version)).all())


def _cluster_plans(
    cluster: ClusterRow,
    node: NodeRow | None,
    chain: tuple[str, ...],
    versions: Mapping[str, list[Version]],
    units: Tree,
    now: datetime,
) -> ClusterPlans:
    held: Mapping[str, int] = node.plan_versions if node else {}
    newest = {unit: versions[unit][-1].number for unit in chain if unit in versions}
    up_to_date = node is not None and holds_newest(held, newest, chain)
    above = (one for unit in chain for one in versions.get(unit, ()))
    unit_id = chain[-1]
    return ClusterPlans(
        cluster.cluster_id,
        cluster.name,
        cluster.village,
        unit_id,
        units.unit(unit_id).name,
        _liveness(node, now),
        node.last_heard_at if node else None,
        tuple(
            Held(
                unit,
                units.unit(unit).name,
                held.get(unit, 0),
                next((o.published_at for o in versions[unit] if o.number == held.get(unit)), None),
                newest=held.get(unit, 0) >= newest[unit],
            )
            for unit in chain
            if unit in newest
        ),
        up_to_date,
        None if up_to_date else behind_since(held, above),
        cluster.contact_name,
        cluster.contact_phone,
    )


def _versions(db: Session, unit_ids: Iterable[str]) -> dict[str, list[Version]]:
    """Read the versions that some units have published, each unit's oldest first."""
    rows = select(PlanVersionRow).where(PlanVersionRow.unit_id.in_(set(unit_ids)))
    found: dict[str, list[Version]] = {}
    for row in db.scalars(rows.order_by(PlanVersionRow.version)):
        found.setdefault(row.unit_id, []).append(
            Version(row.unit_id, row.version, row.published_at)
        )
    return found


def _clusters(db: Session, cluster_ids: Collection[str]) -> list[tuple[ClusterRow, NodeRow | None]]:
    rows = (
        select(ClusterRow, NodeRow)
        .outerjoin(
            NodeRow,
            (NodeRow.cluster_id == ClusterRow.cluster_id) & NodeRow.decommissioned_at.is_(None),
        )
        .where(among(ClusterRow.cluster_id, cluster_ids))
        .order_by(ClusterRow.village, ClusterRow.name)
    )
    return [(cluster, node) for cluster, node in db.execute(rows)]


def _liveness(node: NodeRow | None, now: datetime) -> str:
    return liveness(node.presence, node.last_heard_at, now).value if node else NO_NODE
