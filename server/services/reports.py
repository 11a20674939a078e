"""Take in what nodes say: at least once, in any order, and to the same end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol import topics
from protocol.errors import Refusal
from protocol.ids import NodeId, UnitId
from protocol.messages import (
    Acknowledge,
    AsRun,
    NodeWord,
    Preempted,
    Presence,
    Received,
    Refused,
    Started,
    Telemetry,
)
from protocol.signing import audience_node, sign
from server.domain.deliveries import FINAL, State, advances
from server.domain.errors import UnknownThingError
from server.domain.recurrence import local_day
from server.services import as_run, broadcasting, events, outbox
from server.services.keyring import Keyring
from server.services.units import tree
from server.store.models import DeliveryRow, NodeRow, PlanRow, RefusalRow, ReportRow

ACKNOWLEDGE_LIFE = timedelta(minutes=10)
NUDGE_AFTER = timedelta(seconds=5)
NUDGE_AGAIN = timedelta(seconds=30)

_WORDS = {Received: State.RECEIVED, Started: State.STARTED, Preempted: State.PREEMPTED}


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds on some words that are to be taken in, read in one go.

    Attributes:
        nodes: Active nodes by id.
        reports: Reports that were taken in before, by node and report id; grows as words are
            taken in.
        deliveries: Announcements on their way, by broadcast and cluster.
    """

    nodes: Mapping[str, NodeRow]
    reports: set[tuple[str, str]]
    deliveries: Mapping[tuple[str, str], DeliveryRow]


def known(db: Session, words: Collection[tuple[str, NodeWord]]) -> Known:
    """Read what is needed to take in these words, each with its node's id."""
    active = select(NodeRow).where(
        NodeRow.decommissioned_at.is_(None), NodeRow.node_id.in_({node for node, _ in words})
    )
    nodes = {row.node_id: row for row in db.scalars(active)}
    told = [word for _, word in words if not isinstance(word, Presence | Telemetry)]
    if not told:
        return Known(nodes, set(), {})
    before = select(ReportRow.node_id, ReportRow.report_id).where(
        ReportRow.node_id.in_(nodes), ReportRow.report_id.in_({word.report_id for word in told})
    )
    sent = select(DeliveryRow).where(
        DeliveryRow.broadcast_id.in_({word.claim_id for word in told}),
        DeliveryRow.cluster_id.in_({row.cluster_id for row in nodes.values()}),
    )
    return Known(
        nodes,
        {(node_id, report_id) for node_id, report_id in db.execute(before)},
        {(row.broadcast_id, row.cluster_id): row for row in db.scalars(sent)},
    )


def take_in(
    db: Session, node_id: str, word: NodeWord, *, now: datetime, knowing: Known | None = None
) -> str | None:
    """Take in one word of a node.

    Args:
        db: The transaction.
        node_id: Who said it.
        word: What was said.
        now: When it came.
        knowing: What ``known`` read for a batch that holds this word; None: it is read here.

    Returns:
        The id of a report that is now safe and may be acknowledged; None for what is no report.

    Raises:
        UnknownThingError: No active node of that id.
    """
    facts = knowing or known(db, [(node_id, word)])
    node = facts.nodes.get(node_id)
    if node is None:
        raise UnknownThingError("node", node_id)
    match word:
        case Presence():
            _take_presence(db, node, word, now=now)
            return None
        case Telemetry():
            _heard(db, node, now)
            _on_air(db, node, word.on_air, now)
            node.telemetry = msgspec.to_builtins(word)
            return None
        case Received() | Refused() | Started() | Preempted() | AsRun():
            _heard(db, node, now)
            key = node_id, word.report_id
            if key not in facts.reports:
                facts.reports.add(key)
                kind = str(type(word).__struct_config__.tag)
                db.add(
                    ReportRow(node_id=node_id, report_id=word.report_id, kind=kind, received_at=now)
                )
                delivery = facts.deliveries.get((word.claim_id, node.cluster_id))
                _take_report(db, node, delivery, word, now=now)
            return word.report_id


def acknowledgements(
    db: Session, safe: Mapping[str, Sequence[str]], *, now: datetime, keyring: Keyring
) -> list[tuple[str, bytes]]:
    """Sign the orders that let nodes forget reports; give the topic and the bytes of each.

    They do not go through the outbox: when one is lost, the node reports again and is answered
    again.

    Raises:
        KeyMissingError: No unit has a key that may sign them.
    """
    key = keyring.configuring_key(db, now=now)
    return [
        (
            topics.node_order(NodeId(node_id)),
            sign(
                key,
                Acknowledge(report_ids=tuple(report_ids)),
                audience=[audience_node(node_id)],
                issued_at=now,
                expires=now + ACKNOWLEDGE_LIFE,
                token_id=f"ack-{report_ids[0]}"[:96],
            ),
        )
        for node_id, report_ids in safe.items()
    ]


def bring_up_to_date(db: Session, *, now: datetime) -> int:
    """Send plans and configurations anew to nodes that say they hold older ones; say how many.

    Retained copies are only the quick way: not every broker keeps them.
    """
    units = tree(db, today=local_day(now))
    newest = {row.unit_id: row for row in db.scalars(select(PlanRow))}
    sent = 0
    behind = select(NodeRow).where(
        NodeRow.decommissioned_at.is_(None),
        NodeRow.presence == "here",
        NodeRow.presence_at < now - NUDGE_AFTER,
    )
    for node in db.scalars(behind).all():
        if node.nudged_at is not None and node.nudged_at > now - NUDGE_AGAIN:
            continue
        wanted = [
            newest[unit]
            for unit in units.chain_of_cluster(node.cluster_id)
            if unit in newest
            and newest[unit].published_at < now - NUDGE_AFTER
            and node.plan_versions.get(unit, 0) < newest[unit].version
        ]
        if node.held_config_version < node.config_version and node.config_token is not None:
            _post(db, topics.node_config(NodeId(node.node_id)), node.config_token, now=now)
            sent += 1
        for plan in wanted:
            _post(db, topics.unit_plan(UnitId(plan.unit_id)), plan.token, now=now)
            sent += 1
        if wanted or node.held_config_version < node.config_version:
            node.nudged_at = now
    return sent


def retained(db: Session) -> list[tuple[str, bytes]]:
    """List everything that a broker which has forgotten must be told again, by topic."""
    active = select(NodeRow).where(NodeRow.decommissioned_at.is_(None))
    configs = [
        (topics.node_config(NodeId(node.node_id)), node.config_token)
        for node in db.scalars(active.order_by(NodeRow.node_id))
        if node.config_token is not None
    ]
    plans = [
        (topics.unit_plan(UnitId(row.unit_id)), row.token)
        for row in db.scalars(select(PlanRow).order_by(PlanRow.unit_id))
    ]
    return [*configs, *plans]


def refuse_word(
    db: Session,
    *,
    node_id: str,
    topic: str,
    reason: Refusal,
    detail: str,
    now: datetime,
    count: int = 1,
) -> None:
    """Put on record that the server did not act on what came from a node."""
    db.add(
        RefusalRow(
            node_id=node_id[:64],
            topic=topic[:500],
            reason=reason.value,
            detail=detail[:500],
            count=count,
            at=now,
        )
    )


def _post(db: Session, topic: str, token: bytes, *, now: datetime) -> None:
    outbox.post(db, topic=topic, payload=token, retained=True, expires_at=None, now=now)


def _take_presence(db: Session, node: NodeRow, word: Presence, *, now: datetime) -> None:
    came_back = word.state.value == "here" and node.presence != "here"
    changed = node.presence != word.state.value
    node.presence = word.state.value
    node.presence_at = now if changed or node.presence_at is None else node.presence_at
    if word.state.value == "here":
        node.last_heard_at = now
        node.software = word.software
        node.held_config_version = word.config_version
        node.plan_versions = dict(word.plan_versions)
        _on_air(db, node, word.on_air, now)
        if came_back:
            broadcasting.send_missing(db, node, now=now)
    else:
        node.on_air = ""
    events.emit(db, kind="cluster", ref=node.cluster_id, now=now)


def _heard(db: Session, node: NodeRow, now: datetime) -> None:
    """Note a sign of life; it outweighs a will that came late from a link given up before."""
    node.last_heard_at = now
    if node.presence != "here":
        node.presence = "here"
        node.presence_at = now
        events.emit(db, kind="cluster", ref=node.cluster_id, now=now)


def _on_air(db: Session, node: NodeRow, claim: str, now: datetime) -> None:
    if node.on_air != claim:
        node.on_air = claim
        events.emit(db, kind="cluster", ref=node.cluster_id, now=now)


def _take_report(
    db: Session,
    node: NodeRow,
    delivery: DeliveryRow | None,
    word: Received | Refused | Started | Preempted | AsRun,
    *,
    now: datetime,
) -> None:
    match word:
        case Received() | Started() | Preempted():
            if delivery is not None:
                _advance(db, delivery, _WORDS[type(word)], word.at, now)
            if isinstance(word, Started):
                _on_air(db, node, word.claim_id, now)
                if delivery is not None and delivery.started_at is None:
                    delivery.started_at = word.at
            elif isinstance(word, Preempted) and node.on_air == word.claim_id:
                _on_air(db, node, "", now)
        case Refused():
            _take_refusal(db, node, delivery, word, now)
        case AsRun():
            as_run.take_record(db, node, word, now=now)
            if node.on_air == word.claim_id:
                _on_air(db, node, "", now)
            if delivery is not None and delivery.state not in FINAL:
                delivery.state = word.outcome.value
                delivery.reason = word.reason
                delivery.ended_at = word.segments[-1].end if word.segments else word.at
                delivery.changed_at = word.at
                delivery.next_attempt_at = None
                events.emit(db, kind="broadcast", ref=delivery.broadcast_id, now=now)


def _take_refusal(
    db: Session, node: NodeRow, delivery: DeliveryRow | None, word: Refused, now: datetime
) -> None:
    db.add(
        RefusalRow(
            node_id=node.node_id,
            topic=word.topic,
            reason=word.reason.value,
            message_id=word.message_id,
            detail=word.detail,
            count=word.count,
            at=word.at,
        )
    )
    if delivery is not None and word.reason is not Refusal.REPLAYED:
        delivery.reason = f"refused:{word.reason.value}"
        _advance(db, delivery, State.REFUSED, word.at, now)


def _advance(
    db: Session, delivery: DeliveryRow, word: State, said_at: datetime, now: datetime
) -> None:
    if word is not State.REFUSED and delivery.received_at is None:
        delivery.received_at = said_at
    if not advances(delivery.state, delivery.changed_at, word, said_at):
        return
    delivery.state = word.value
    delivery.changed_at = said_at
    events.emit(db, kind="broadcast", ref=delivery.broadcast_id, now=now)
