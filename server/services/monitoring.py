"""What operators watch: the state of clusters, and a broadcast's way to each of them."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.data_plans import DataUse
from server.domain.escalation import Rule, is_settled, silence
from server.domain.nodes import Liveness, liveness
from server.domain.recurrence import local_day
from server.domain.slots import slot_of_claim
from server.domain.units import Tree
from server.domain.upkeep import CHECK_TITLE, TALK_TITLE, is_talk_id, is_upkeep_id
from server.services import data_plans, escalating, escalation_rules, going_first
from server.services.broadcasting import find
from server.services.going_first import Ahead
from server.services.units import tree
from server.store.models import (
    BroadcastRow,
    ClusterRow,
    DeliveryRow,
    NodeRow,
    PlanRow,
    SlotRow,
    UnansweredRow,
)
from server.store.queries.among import among

NO_NODE = "none"
_ANSWERING = frozenset({Liveness.HERE, Liveness.LATE})


@dataclass(frozen=True, slots=True)
class Glance:
    """What is told of a cluster among very many.

    Attributes:
        data: What is used of its SIM's plan; None: it has none.
    """

    cluster_id: str
    name: str
    village: str
    unit_id: str
    unit_name: str
    liveness: str
    on_air: bool
    data: DataUse | None

    @property
    def answers(self) -> bool:
        """Whether its node has been heard of lately."""
        return self.liveness in _ANSWERING


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One cluster as an operator sees it; ``liveness`` is ``none`` where it has no node.

    Attributes:
        clock_trusted: Whether its node says that it knows the time; None: it does not say.
        troubles: What its node says it cannot do by itself, in codes.
        alarms: Names of the alarms that its node said stand, since ``alarms_at``.
        equipment: What its node says is wired to its board; None: it does not say.
        data: How the plan of its SIM stands; None: it has none.
        machine: What its node last measured, by the names of the protocol's telemetry.
    """

    cluster_id: str
    name: str
    village: str
    unit_id: str
    unit_name: str
    latitude: float | None
    longitude: float | None
    people: int
    contact_name: str
    contact_phone: str
    node_id: str | None
    liveness: str
    last_heard_at: datetime | None
    software: str
    on_air_claim: str
    on_air_title: str
    on_air_class: str
    holds_newest_plan: bool
    level_dbfs: float | None
    clock_trusted: bool | None
    troubles: tuple[str, ...]
    alarms: tuple[str, ...]
    alarms_at: datetime | None
    equipment: tuple[str, ...] | None
    data: DataUse | None
    machine: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClusterDelivery:
    """One broadcast at one cluster, and whom to call when it does not answer.

    Attributes:
        silence: Why it is named, ``no-answer`` or ``not-sounding``; empty: it is not.
        named_at: When it was named first, though it may have answered since.
        answered_late_at: When one that had been named was seen to answer.
        ahead: The announcement for whose end it waits there.
        is_hushed: Whether it waits there for the end of a silence.
    """

    cluster_id: str
    cluster_name: str
    village: str
    state: str
    reason: str
    attempts: int
    received_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    liveness: str
    last_heard_at: datetime | None
    contact_name: str
    contact_phone: str
    silence: str
    named_at: datetime | None
    answered_late_at: datetime | None
    ahead: Ahead | None
    is_hushed: bool


@dataclass(frozen=True, slots=True)
class BroadcastStatus:
    """A broadcast, where it stands at each cluster, and the rule by which clusters are named."""

    broadcast: BroadcastRow
    rule: Rule
    deliveries: tuple[ClusterDelivery, ...]
    counts: Counter[str]


def glances(db: Session, *, now: datetime, units: Tree) -> list[Glance]:
    """Tell of every cluster of the tree whether it answers and sounds, in no order."""
    rows = db.execute(
        select(
            ClusterRow.cluster_id,
            ClusterRow.name,
            ClusterRow.village,
            NodeRow.presence,
            NodeRow.last_heard_at,
            NodeRow.on_air,
        ).outerjoin(
            NodeRow,
            (NodeRow.cluster_id == ClusterRow.cluster_id) & NodeRow.decommissioned_at.is_(None),
        )
    )
    data = data_plans.uses(db, now=now)
    found = []
    for cluster_id, name, village, presence, last_heard_at, on_air in rows:
        unit = units.units.get(units.clusters.get(cluster_id, ""))
        if unit is None:
            continue
        alive = NO_NODE if presence is None else liveness(presence, last_heard_at, now).value
        sounds = bool(on_air) and alive in _ANSWERING
        found.append(
            Glance(
                cluster_id,
                name,
                village,
                unit.unit_id,
                unit.name,
                alive,
                on_air=sounds,
                data=data.get(cluster_id),
            )
        )
    return found


def names(db: Session, clusters: Collection[str]) -> dict[str, str]:
    """Name some clusters as people do: by their villages, or else by their own names."""
    rows = db.execute(
        select(ClusterRow.cluster_id, ClusterRow.village, ClusterRow.name).where(
            among(ClusterRow.cluster_id, clusters)
        )
    )
    return {one: village or name for one, village, name in rows}


def overview(
    db: Session,
    *,
    now: datetime,
    units: Tree,
    under: str | None = None,
    only: Collection[str] | None = None,
    data: Mapping[str, DataUse] | None = None,
) -> list[ClusterState]:
    """Describe every cluster, those under one unit, or only some, by commune and name.

    ``data`` is what is used of the plans of their SIMs, where that has been read already.
    """
    wanted = frozenset(units.clusters) if under is None else units.clusters_under(under)
    working = select(NodeRow).where(NodeRow.decommissioned_at.is_(None))
    if only is not None:
        wanted &= frozenset(only)
        working = working.where(among(NodeRow.cluster_id, wanted))
    clusters = db.scalars(select(ClusterRow).where(among(ClusterRow.cluster_id, wanted))).all()
    nodes = {node.cluster_id: node for node in db.scalars(working)}
    newest = dict(db.execute(select(PlanRow.unit_id, PlanRow.version)).all())
    titles = titles_of(db, {node.on_air for node in nodes.values() if node.on_air})
    if data is None:
        data = data_plans.uses(db, now=now, only=wanted)
    states = [
        _state(
            row,
            nodes.get(row.cluster_id),
            units,
            newest,
            titles,
            data=data.get(row.cluster_id),
            now=now,
        )
        for row in clusters
    ]
    return sorted(states, key=lambda state: (state.unit_name, state.village, state.name))


def status(db: Session, broadcast_id: str, *, now: datetime) -> BroadcastStatus:
    """Tell where a broadcast stands at each of its clusters.

    Raises:
        UnknownThingError: No such broadcast.
    """
    broadcast = find(db, broadcast_id)
    places = tree(db, today=local_day(now))
    rule = escalation_rules.rule_of(db, broadcast.unit_id, broadcast.bulletin_class, units=places)
    named = escalating.unanswered(db, broadcast_id)
    ahead = going_first.ahead(db, [broadcast_id], now=now)
    hushed = going_first.hushed(db, [broadcast_id], now=now, units=places)
    waiting = hushed.union(ahead)
    rows = db.execute(
        select(DeliveryRow, ClusterRow, NodeRow)
        .join(ClusterRow, ClusterRow.cluster_id == DeliveryRow.cluster_id)
        .outerjoin(
            NodeRow,
            (NodeRow.cluster_id == DeliveryRow.cluster_id) & NodeRow.decommissioned_at.is_(None),
        )
        .where(DeliveryRow.broadcast_id == broadcast_id)
        .order_by(ClusterRow.village, ClusterRow.name)
    )
    deliveries = tuple(
        _delivery(
            *row,
            named.get(row[0].cluster_id),
            why=_silence(
                row[0],
                broadcast,
                rule,
                named.get(row[0].cluster_id),
                now,
                waits=(broadcast_id, row[0].cluster_id) in waiting,
            ),
            ahead=ahead.get((broadcast_id, row[0].cluster_id)),
            is_hushed=(broadcast_id, row[0].cluster_id) in hushed,
            now=now,
        )
        for row in rows
    )
    return BroadcastStatus(
        broadcast, rule, deliveries, Counter(delivery.state for delivery in deliveries)
    )


def titles_of(db: Session, claims: set[str]) -> dict[str, tuple[str, str]]:
    """Find title and class of some claims, whether of slots or of broadcasts."""
    slots = {
        row.slot_id: (row.title, row.bulletin_class)
        for row in db.scalars(
            select(SlotRow).where(SlotRow.slot_id.in_({slot_of_claim(claim) for claim in claims}))
        )
    }
    broadcasts = {
        row.broadcast_id: (row.title, row.bulletin_class)
        for row in db.scalars(select(BroadcastRow).where(BroadcastRow.broadcast_id.in_(claims)))
    }
    tests = {claim: (CHECK_TITLE, "ordinary") for claim in claims if is_upkeep_id(claim)}
    talks = {claim: (TALK_TITLE, "priority") for claim in claims if is_talk_id(claim)}
    broadcasts |= tests | talks
    found = {claim: broadcasts.get(claim) or slots.get(slot_of_claim(claim)) for claim in claims}
    return {claim: title for claim, title in found.items() if title is not None}


def _state(
    row: ClusterRow,
    node: NodeRow | None,
    units: Tree,
    newest: dict[str, int],
    titles: dict[str, tuple[str, str]],
    *,
    data: DataUse | None,
    now: datetime,
) -> ClusterState:
    unit_id = units.clusters[row.cluster_id]
    alive = liveness(node.presence, node.last_heard_at, now).value if node else NO_NODE
    on_air = node.on_air if node and alive in _ANSWERING else ""
    title, bulletin_class = titles.get(on_air, ("", ""))
    return ClusterState(
        cluster_id=row.cluster_id,
        name=row.name,
        village=row.village,
        unit_id=unit_id,
        unit_name=units.unit(unit_id).name,
        latitude=row.latitude,
        longitude=row.longitude,
        people=row.people,
        contact_name=row.contact_name,
        contact_phone=row.contact_phone,
        node_id=node.node_id if node else None,
        liveness=alive,
        last_heard_at=node.last_heard_at if node else None,
        software=node.software if node else "",
        on_air_claim=on_air,
        on_air_title=title,
        on_air_class=bulletin_class,
        holds_newest_plan=node is not None
        and all(
            node.plan_versions.get(unit, 0) >= newest[unit]
            for unit in units.chain(unit_id)
            if unit in newest
        ),
        troubles=tuple(node.telemetry.get("troubles", ())) if node and alive in _ANSWERING else (),
        level_dbfs=node.telemetry.get("level_dbfs") if node else None,
        clock_trusted=node.telemetry.get("clock_trusted") if node else None,
        alarms=tuple(node.alarms) if node else (),
        alarms_at=node.alarms_at if node else None,
        equipment=None if node is None or node.equipment is None else tuple(node.equipment),
        data=data,
        machine=node.telemetry if node else {},
    )


def _silence(
    delivery: DeliveryRow,
    broadcast: BroadcastRow,
    rule: Rule,
    named: UnansweredRow | None,
    now: datetime,
    *,
    waits: bool,
) -> str:
    """Judge by the rule while it lasts; afterwards those stay named who never answered."""
    word = escalating.word_of(
        delivery.cluster_id,
        delivery.state,
        delivery.received_at,
        delivery.started_at,
        waits=waits,
    )
    if is_settled(word):
        return ""
    if broadcast.stopped_at is not None or broadcast.end <= now:
        return named.why if named is not None and named.answered_at is None else ""
    found = silence(word, rule, sent_at=broadcast.created_at, start=broadcast.start, now=now)
    return found.value if found else ""


def _delivery(
    delivery: DeliveryRow,
    cluster: ClusterRow,
    node: NodeRow | None,
    named: UnansweredRow | None,
    *,
    why: str,
    ahead: Ahead | None,
    is_hushed: bool,
    now: datetime,
) -> ClusterDelivery:
    return ClusterDelivery(
        cluster_id=cluster.cluster_id,
        cluster_name=cluster.name,
        village=cluster.village,
        state=delivery.state,
        reason=delivery.reason,
        attempts=delivery.attempts,
        received_at=delivery.received_at,
        started_at=delivery.started_at,
        ended_at=delivery.ended_at,
        liveness=liveness(node.presence, node.last_heard_at, now).value if node else NO_NODE,
        last_heard_at=node.last_heard_at if node else None,
        contact_name=cluster.contact_name,
        contact_phone=cluster.contact_phone,
        silence=why,
        named_at=named.since if named else None,
        answered_late_at=named.answered_at if named else None,
        ahead=ahead,
        is_hushed=is_hushed,
    )
