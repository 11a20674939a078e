"""Announcements that wait their turn: something that goes before them sounds there."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.policy import Policy
from protocol.precedence import Key, key
from protocol.signing import unverified
from server.domain.nodes import Liveness, liveness
from server.store.models import BroadcastRow, DeliveryRow, NodeRow

if TYPE_CHECKING:
    from protocol.messages import Play

_ANSWERING = frozenset({Liveness.HERE, Liveness.LATE})


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
    titles, keys = _ranked(db, {one for pair in pairs for one in (pair[0], pair[2])}, now)
    return {
        (broadcast, cluster): Ahead(on_air, titles[on_air])
        for broadcast, cluster, on_air in pairs
        if keys[on_air] < keys[broadcast]
    }


def _ranked(
    db: Session, broadcasts: Collection[str], now: datetime
) -> tuple[dict[str, str], dict[str, Key]]:
    titles: dict[str, str] = {}
    keys: dict[str, Key] = {}
    rows = select(BroadcastRow).where(BroadcastRow.broadcast_id.in_(broadcasts))
    for row in db.scalars(rows) if broadcasts else ():
        # Nothing else is ever kept as the order of an announcement.
        claim = cast("Play", unverified(row.token).msg).claim
        titles[row.broadcast_id] = row.title
        keys[row.broadcast_id] = key(claim, now, Policy())
    return titles, keys
