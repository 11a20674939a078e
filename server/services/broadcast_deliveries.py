"""A broadcast's order on its way: sent to units, and again to each node that has not answered."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol import topics
from protocol.ids import NodeId, UnitId
from server.domain.deliveries import FINAL, State, next_attempt
from server.services import outbox
from server.store.models import BroadcastRow, DeliveryRow, NodeRow
from server.store.queries.nodes import nodes_at

MOST_RESENT = 300
"""Orders sent again in one transaction; the others follow a second later."""


def expect(db: Session, row: BroadcastRow, meant: frozenset[str], now: datetime) -> None:
    """Expect an answer from each cluster that is meant."""
    nodes = nodes_at(db, meant)
    db.add_all(
        DeliveryRow(
            broadcast_id=row.broadcast_id,
            cluster_id=cluster_id,
            node_id=nodes[cluster_id].node_id if cluster_id in nodes else None,
            state=State.SENT,
            changed_at=now,
            next_attempt_at=next_attempt(0, now),
        )
        for cluster_id in sorted(meant)
    )


def tell(db: Session, row: BroadcastRow, token: bytes, *, expires: datetime, now: datetime) -> None:
    """Post an order once to each unit that it is for."""
    for unit in row.targets["topics"]:
        outbox.post(
            db,
            topic=topics.unit_order(UnitId(unit)),
            payload=token,
            retained=False,
            expires_at=expires,
            now=now,
        )


def open_deliveries(db: Session, broadcast_id: str) -> Iterable[DeliveryRow]:
    """Find those that have not had their last word."""
    return db.scalars(
        select(DeliveryRow).where(
            DeliveryRow.broadcast_id == broadcast_id, DeliveryRow.state.not_in(FINAL)
        )
    )


def resend_due(db: Session, *, now: datetime) -> int:
    """Send orders again, byte for byte, to each node that has not answered; say how many."""
    due = (
        select(DeliveryRow, BroadcastRow, NodeRow.presence)
        .join(BroadcastRow, BroadcastRow.broadcast_id == DeliveryRow.broadcast_id)
        .outerjoin(NodeRow, NodeRow.node_id == DeliveryRow.node_id)
        .where(DeliveryRow.next_attempt_at <= now, BroadcastRow.end > now)
        .order_by(DeliveryRow.next_attempt_at, DeliveryRow.delivery_id)
        .limit(MOST_RESENT)
    )
    sent = 0
    for delivery, broadcast, presence in db.execute(due).all():
        if not _awaits_answer(delivery, broadcast):
            delivery.next_attempt_at = None
            continue
        if delivery.node_id is not None and presence == "here":
            send_to_node(db, delivery.node_id, broadcast, now=now)
            delivery.attempts += 1
            sent += 1
        delivery.next_attempt_at = next_attempt(delivery.attempts, now)
    return sent


def holding(
    db: Session, clusters: Collection[str], *, now: datetime
) -> dict[str, list[tuple[DeliveryRow, BroadcastRow]]]:
    """Find the orders that still hold at some clusters, by cluster."""
    found: dict[str, list[tuple[DeliveryRow, BroadcastRow]]] = defaultdict(list)
    if clusters:
        held = (
            select(DeliveryRow, BroadcastRow)
            .join(BroadcastRow, BroadcastRow.broadcast_id == DeliveryRow.broadcast_id)
            .where(DeliveryRow.cluster_id.in_(clusters), BroadcastRow.end > now)
        )
        for delivery, broadcast in db.execute(held):
            found[delivery.cluster_id].append((delivery, broadcast))
    return found


def send_missing(
    db: Session,
    node: NodeRow,
    held: Iterable[tuple[DeliveryRow, BroadcastRow]],
    *,
    now: datetime,
) -> None:
    """Send a node that has come back, of the orders that still hold, those it has not answered."""
    for delivery, broadcast in held:
        delivery.node_id = node.node_id
        if _awaits_answer(delivery, broadcast):
            send_to_node(db, node.node_id, broadcast, now=now)


def send_to_node(db: Session, node_id: str, broadcast: BroadcastRow, *, now: datetime) -> None:
    """Post the order, or the stop that has followed it, to one node."""
    outbox.post(
        db,
        topic=topics.node_order(NodeId(node_id)),
        payload=broadcast.stop_token or broadcast.token,
        retained=False,
        expires_at=broadcast.end,
        now=now,
    )


def _awaits_answer(delivery: DeliveryRow, broadcast: BroadcastRow) -> bool:
    if delivery.state in FINAL:
        return False
    return broadcast.stopped_at is not None or delivery.state == State.SENT
