"""A hush on its way to each cluster: who is silent, who has not answered, who is told again."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from protocol import topics
from protocol.errors import Refusal
from protocol.ids import NodeId
from protocol.messages import Mode, Received, Refused
from server.domain.authority import Action, Actor, seen_clusters, touches
from server.domain.deliveries import next_attempt
from server.domain.errors import NotAllowedError
from server.domain.hushes import Standing, standing
from server.domain.nodes import Liveness, liveness
from server.domain.units import Tree
from server.services import events, outbox
from server.store.models import BroadcastRow, ClusterRow, HushDeliveryRow, HushRow, NodeRow
from server.store.queries.among import among
from server.store.queries.nodes import nodes_at

MOST_RESENT = 300
"""Orders sent again in one transaction; the others follow a second later."""


@dataclass(frozen=True, slots=True)
class ClusterSilence:
    """One hush at one cluster, and whom to call where it is not silent."""

    cluster_id: str
    cluster_name: str
    village: str
    standing: Standing
    silent_at: datetime | None
    lifted_at: datetime | None
    refused: str
    last_heard_at: datetime | None
    contact_name: str
    contact_phone: str


@dataclass(frozen=True, slots=True)
class HushStatus:
    """A hush, and where it stands at each cluster under its unit."""

    hush: HushRow
    clusters: tuple[ClusterSilence, ...]
    counts: Counter[Standing]


def expect(db: Session, row: HushRow, clusters: Iterable[str], *, now: datetime) -> None:
    """Expect an answer of each cluster."""
    nodes = nodes_at(db, clusters)
    db.add_all(
        HushDeliveryRow(
            hush_id=row.hush_id,
            cluster_id=cluster_id,
            node_id=nodes[cluster_id].node_id if cluster_id in nodes else None,
            next_attempt_at=next_attempt(0, now),
        )
        for cluster_id in sorted(clusters)
    )


def expect_again(db: Session, row: HushRow, *, now: datetime) -> None:
    """Expect an answer to the lift."""
    for delivery in db.scalars(_of(row.hush_id)):
        delivery.attempts, delivery.refused = 0, ""
        delivery.next_attempt_at = next_attempt(0, now)


def resend_due(db: Session, *, now: datetime) -> int:
    """Send hushes and lifts again, byte for byte, to each node that has not answered."""
    due = (
        select(HushDeliveryRow, HushRow, NodeRow)
        .join(HushRow, HushRow.hush_id == HushDeliveryRow.hush_id)
        .outerjoin(
            NodeRow,
            (NodeRow.cluster_id == HushDeliveryRow.cluster_id)
            & NodeRow.decommissioned_at.is_(None),
        )
        .where(HushDeliveryRow.next_attempt_at <= now)
        .order_by(HushDeliveryRow.next_attempt_at, HushDeliveryRow.delivery_id)
        .limit(MOST_RESENT)
    )
    sent = 0
    for delivery, hush, node in db.execute(due).all():
        # After that the plan alone says it, and is sent to whoever lacks it.
        is_over = hush.expires_at <= now or hush.superseded_by is not None
        if is_over or delivery.refused or _answered(delivery, hush, node):
            delivery.next_attempt_at = None
            continue
        if node is not None and node.presence == Liveness.HERE:
            _send(db, delivery, hush, node, now)
            delivery.attempts += 1
            sent += 1
        delivery.next_attempt_at = next_attempt(delivery.attempts, now)
    return sent


def holding(
    db: Session, clusters: Collection[str], *, now: datetime
) -> dict[str, list[tuple[HushDeliveryRow, HushRow]]]:
    """Find the hushes and lifts that still hold at some clusters, by cluster."""
    found: dict[str, list[tuple[HushDeliveryRow, HushRow]]] = defaultdict(list)
    if clusters:
        held = (
            select(HushDeliveryRow, HushRow)
            .join(HushRow, HushRow.hush_id == HushDeliveryRow.hush_id)
            .where(HushDeliveryRow.cluster_id.in_(clusters))
            .where(HushRow.expires_at > now, HushRow.superseded_by.is_(None))
        )
        for delivery, hush in db.execute(held):
            found[delivery.cluster_id].append((delivery, hush))
    return found


def send_missing(
    db: Session,
    node: NodeRow,
    held: Iterable[tuple[HushDeliveryRow, HushRow]],
    *,
    now: datetime,
) -> None:
    """Send a node that has come back, of the hushes and lifts, those it has not answered."""
    for delivery, hush in held:
        if not _answered(delivery, hush, node):
            _send(db, delivery, hush, node, now)


def take_receipt(
    db: Session, delivery: HushDeliveryRow, word: Received | Refused, *, now: datetime
) -> None:
    """Note what a node said of a hush or of its lift; in any order, and twice is once."""
    if isinstance(word, Refused):
        if word.reason is not Refusal.REPLAYED:
            delivery.refused = word.reason.value
    else:
        delivery.refused = ""
        if word.message_id.startswith("lift-"):
            delivery.lifted_at = delivery.lifted_at or word.at
        else:
            delivery.silent_at = delivery.silent_at or word.at
    events.emit(db, kind="hush", ref=delivery.hush_id, now=now)


def status(db: Session, hush: HushRow, *, now: datetime, actor: Actor, units: Tree) -> HushStatus:
    """Tell where a hush stands at each cluster under its unit that ``actor`` may see.

    Raises:
        UnknownThingError: Its unit is no more.
        NotAllowedError: It reaches nothing that the actor may see.
    """
    if not touches(actor, hush.unit_id, units):
        raise NotAllowedError(Action.VIEW.value, hush.unit_id)
    seen = seen_clusters(actor, units)
    meant = units.clusters_under(hush.unit_id)
    meant = meant if seen is None else meant & seen
    deliveries = {row.cluster_id: row for row in db.scalars(_of(hush.hush_id))}
    rows = db.execute(
        select(ClusterRow, NodeRow)
        .outerjoin(
            NodeRow,
            (NodeRow.cluster_id == ClusterRow.cluster_id) & NodeRow.decommissioned_at.is_(None),
        )
        .where(among(ClusterRow.cluster_id, meant))
        .order_by(ClusterRow.village, ClusterRow.name)
    )
    clusters = tuple(
        _line(cluster, node, deliveries.get(cluster.cluster_id), hush, now)
        for cluster, node in rows
    )
    return HushStatus(hush, clusters, Counter(line.standing for line in clusters))


def held_back(db: Session, hush: HushRow, *, now: datetime, units: Tree) -> Sequence[BroadcastRow]:
    """List the announcements that would sound were it lifted now: somebody may stop them first."""
    if hush.ended_at is not None or hush.mode != Mode.REAL:
        return ()
    told = {*units.subtree(hush.unit_id), *units.chain(hush.unit_id)}
    rows = select(BroadcastRow).where(
        BroadcastRow.unit_id.in_(told),
        BroadcastRow.stopped_at.is_(None),
        BroadcastRow.closed_at.is_(None),
        BroadcastRow.end > now,
    )
    return db.scalars(rows.order_by(BroadcastRow.created_at)).all()


def _line(
    cluster: ClusterRow,
    node: NodeRow | None,
    delivery: HushDeliveryRow | None,
    hush: HushRow,
    now: datetime,
) -> ClusterSilence:
    is_here = node is not None and liveness(node.presence, node.last_heard_at, now) is Liveness.HERE
    return ClusterSilence(
        cluster_id=cluster.cluster_id,
        cluster_name=cluster.name,
        village=cluster.village,
        standing=standing(
            has_node=node is not None,
            is_here=is_here,
            is_over=hush.ended_at is not None,
            answered=_answered(delivery, hush, node),
            is_refused=delivery is not None and bool(delivery.refused),
        ),
        silent_at=delivery.silent_at if delivery else None,
        lifted_at=delivery.lifted_at if delivery else None,
        refused=delivery.refused if delivery else "",
        last_heard_at=node.last_heard_at if node else None,
        contact_name=cluster.contact_name,
        contact_phone=cluster.contact_phone,
    )


def _answered(delivery: HushDeliveryRow | None, hush: HushRow, node: NodeRow | None) -> bool:
    """Say whether a node has confirmed the newest word, by its receipt or by the plan it holds."""
    is_lifted = hush.lift_token is not None
    version = hush.lift_plan_version if is_lifted else hush.plan_version
    if node is not None and version and node.plan_versions.get(hush.unit_id, 0) >= version:
        return True
    if delivery is None or node is None or delivery.node_id != node.node_id:
        return False
    return (delivery.lifted_at if is_lifted else delivery.silent_at) is not None


def _send(
    db: Session, delivery: HushDeliveryRow, hush: HushRow, node: NodeRow, now: datetime
) -> None:
    if delivery.node_id != node.node_id:
        # What the node before it has said, this one has not.
        delivery.node_id, delivery.refused = node.node_id, ""
        delivery.silent_at = delivery.lifted_at = None
    outbox.post(
        db,
        topic=topics.node_order(NodeId(node.node_id)),
        payload=hush.lift_token or hush.token,
        retained=False,
        expires_at=hush.expires_at,
        now=now,
    )


def _of(hush_id: str) -> Select[HushDeliveryRow]:
    return select(HushDeliveryRow).where(HushDeliveryRow.hush_id == hush_id)
