"""Announcements that wait their turn: what goes before them sounds there, or silence is ordered."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import Claim, Play
from protocol.policy import Policy
from protocol.precedence import key
from protocol.signing import unverified
from server.domain.deliveries import State
from server.domain.nodes import Liveness, liveness
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services.hush_words import silences_by_unit
from server.services.planning import policies_of
from server.services.units import tree
from server.store.models import BroadcastRow, DeliveryRow, NodeRow
from server.store.queries.among import among

_ANSWERING = frozenset({Liveness.HERE, Liveness.LATE})
_AN_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Ahead:
    """The announcement that goes first."""

    broadcast_id: str
    title: str


def ahead(
    db: Session, broadcasts: Collection[str], *, now: datetime
) -> dict[tuple[str, str], Ahead]:
    """Tell, by announcement and cluster, what sounds there before it.

    Only what a node said itself counts, and only what the rule of all nodes puts first: where
    something else is on air that should have been cut, the cluster is in trouble.
    """
    sounding = (
        select(
            DeliveryRow.broadcast_id,
            DeliveryRow.cluster_id,
            NodeRow.on_air,
            NodeRow.presence,
            NodeRow.last_heard_at,
        )
        .join(NodeRow, NodeRow.cluster_id == DeliveryRow.cluster_id)
        .join(BroadcastRow, BroadcastRow.broadcast_id == NodeRow.on_air)
        .where(
            DeliveryRow.broadcast_id.in_(broadcasts),
            DeliveryRow.received_at.is_not(None),
            DeliveryRow.started_at.is_(None),
            NodeRow.decommissioned_at.is_(None),
            NodeRow.on_air != DeliveryRow.broadcast_id,
            BroadcastRow.stopped_at.is_(None),
            BroadcastRow.end > now,
        )
    )
    pairs = [
        (broadcast, cluster, on_air)
        for broadcast, cluster, on_air, presence, heard_at in db.execute(sounding)
        if liveness(presence, heard_at, now) in _ANSWERING
    ]
    orders = _orders(db, {one for pair in pairs for one in (pair[0], pair[2])})
    policies = _policies(db, {cluster for _, cluster, _ in pairs}, now)
    found = {}
    for broadcast, cluster, on_air in pairs:
        policy = policies.get(cluster)
        if policy is not None and goes_first(orders[on_air][1], orders[broadcast][1], now, policy):
            found[broadcast, cluster] = Ahead(on_air, orders[on_air][0])
    return found


def hushed(
    db: Session, broadcasts: Collection[str], *, now: datetime, units: Tree
) -> set[tuple[str, str]]:
    """Find, by announcement and cluster, where one has been received and silence is ordered."""
    received = select(DeliveryRow.broadcast_id, DeliveryRow.cluster_id).where(
        DeliveryRow.broadcast_id.in_(broadcasts),
        DeliveryRow.state.in_((State.RECEIVED, State.PREEMPTED)),
    )
    chains = {
        (broadcast, cluster): units.chain_of_cluster(cluster)
        for broadcast, cluster in db.execute(received)
        if cluster in units.clusters
    }
    above = {unit_id for chain in chains.values() for unit_id in chain}
    said = silences_by_unit(db, above, start=now, end=now + _AN_INSTANT)
    if not said:
        return set()
    orders = _orders(db, {broadcast for broadcast, _ in chains})
    return {
        (broadcast, cluster)
        for (broadcast, cluster), chain in chains.items()
        if Policy(silences=tuple(one for unit in chain for one in said.get(unit, ()))).hushed_by(
            orders[broadcast][1], now
        )
    }


def goes_first(one: Claim, other: Claim, now: datetime, policy: Policy) -> bool:
    """Say whether, of two claims at one cluster, the rule of all nodes puts this one first."""
    return key(one, now, policy) < key(other, now, policy)


def _orders(db: Session, broadcasts: Collection[str]) -> dict[str, tuple[str, Claim]]:
    """Read title and claim of some announcements."""
    if not broadcasts:
        return {}
    rows = select(BroadcastRow.broadcast_id, BroadcastRow.title, BroadcastRow.token).where(
        among(BroadcastRow.broadcast_id, broadcasts)
    )
    # Nothing else is ever kept as the order of an announcement.
    return {
        name: (title, cast("Play", unverified(token).msg).claim)
        for name, title, token in db.execute(rows)
    }


def _policies(db: Session, clusters: Collection[str], now: datetime) -> dict[str, Policy]:
    """Merge the rules at some clusters, of which very many stand below the same units.

    Whose time frame it is and what the commune has ranked decide too; silence does not, for where
    one is silent nothing is on air that it would have to wait for.
    """
    if not clusters:
        return {}
    units = tree(db, today=local_day(now))
    chains = {one: units.chain_of_cluster(one) for one in clusters if one in units.clusters}
    found = policies_of(db, set(chains.values()), at=now, units=units)
    return {cluster: found[chain] for cluster, chain in chains.items()}
