"""Take in what nodes say: at least once, in any order, and to the same end."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from protocol import topics
from protocol.errors import Refusal
from protocol.ids import NodeId, UnitId
from protocol.messages import (
    Acknowledge,
    Alarms,
    AsRun,
    ClaimReport,
    Done,
    NodeWord,
    Preempted,
    Presence,
    Received,
    Refused,
    Report,
    SignedTime,
    Started,
    Telemetry,
)
from protocol.signing import SigningKey, audience_node, sign
from server.domain.data_plans import counted
from server.domain.deliveries import State, advances
from server.domain.errors import UnknownThingError
from server.services import (
    as_run,
    broadcast_deliveries,
    events,
    hush_deliveries,
    record_chains,
    upkeep_words,
)
from server.services.known_words import Known, check, known
from server.store.models import (
    AsRunRow,
    DeliveryRow,
    NodeRow,
    PlanRow,
    RefusalRow,
    ReportRow,
)

ACKNOWLEDGE_LIFE = timedelta(minutes=10)
TIME_LIFE = timedelta(minutes=1)
LONGEST_SOFTWARE = 200

REPORTS_KEPT = timedelta(days=30)
"""A node sends a report again until it is acknowledged: what is older has long been."""

REFUSALS_KEPT = timedelta(days=90)

_WORDS = {Received: State.RECEIVED, Started: State.STARTED, Preempted: State.PREEMPTED}


def take_in(
    db: Session, node_id: str, word: NodeWord, *, now: datetime, knowing: Known | None = None
) -> str | None:
    """Take in one word of a node.

    Args:
        db: The transaction.
        node_id: Who said it.
        word: What was said.
        now: When it came.
        knowing: What ``known`` read for a batch that holds this word, such as ``check`` lets pass;
            who has taken in the last of them calls ``write_changes``. None: it is alone.

    Returns:
        The id of a report that is now safe and may be acknowledged; None for what is no report.

    Raises:
        UnknownThingError: No active node of that id.
        RefusedError: It says what cannot be kept.
    """
    if knowing is None:
        check(word)
    facts = knowing or known(db, [(node_id, word)], now=now)
    node = facts.nodes.get(node_id)
    if node is None:
        raise UnknownThingError("node", node_id)
    match word:
        case Presence():
            _take_presence(db, node, word, facts, now=now)
            return None
        case Telemetry():
            _heard(db, node, now)
            # Such a clock may stand in the future, and would hide all that comes after.
            said_at = now if word.clock_trusted is False else word.at
            _on_air(db, node, word.on_air, said_at, now)
            _take_telemetry(db, node, word, now)
            return None
        case Alarms():
            _heard(db, node, now)
            if _is_new(facts, node_id, word):
                _take_alarms(db, node, word, now=now)
            return word.report_id
        case Received() | Refused() | Started() | Preempted() | AsRun() | Done():
            _heard(db, node, now)
            if isinstance(word, AsRun):
                # Also of one that is known: what came first from memory has its place by now.
                record_chains.take(db, facts.links, node, word, now=now)
            if _is_new(facts, node_id, word):
                _take_report(db, node, word, facts, now=now)
            return word.report_id


def _is_new(facts: Known, node_id: str, word: Report) -> bool:
    """Say whether a report had not been taken in before; whoever asks takes it in."""
    key = node_id, word.report_id
    if key not in facts.new:
        return False
    facts.new.remove(key)
    return True


def acknowledgements(
    safe: Mapping[str, Sequence[str]], *, now: datetime, key: SigningKey
) -> Iterator[tuple[str, bytes]]:
    """Sign the orders that let nodes forget reports; give the topic and the bytes of each.

    They do not go through the outbox: when one is lost, the node reports again and is answered
    again.
    """
    for node_id, report_ids in safe.items():
        token = sign(
            key,
            Acknowledge(report_ids=tuple(report_ids)),
            audience=[audience_node(node_id)],
            issued_at=now,
            expires=now + ACKNOWLEDGE_LIFE,
            token_id=f"ack-{report_ids[0]}"[:96],
        )
        yield topics.node_order(NodeId(node_id)), token


def times(
    asked: Mapping[str, str], *, clock: Callable[[], datetime], key: SigningKey
) -> Iterator[tuple[str, bytes]]:
    """Sign the time for nodes that have asked with a nonce; give the topic and the bytes of each.

    The clock is read for each answer anew, just before it is signed.
    """
    for node_id, nonce in asked.items():
        now = clock()
        token = sign(
            key,
            SignedTime(nonce=nonce, at=now),
            audience=[audience_node(node_id)],
            issued_at=now,
            expires=now + TIME_LIFE,
            token_id=f"time-{nonce}",
        )
        yield topics.node_order(NodeId(node_id)), token


def retained(db: Session) -> list[tuple[str, bytes]]:
    """List everything that a broker which has forgotten must be told again, by topic."""
    active = select(NodeRow.node_id, NodeRow.config_token).where(
        NodeRow.decommissioned_at.is_(None)
    )
    configs = [
        (topics.node_config(NodeId(node_id)), token)
        for node_id, token in db.execute(active.order_by(NodeRow.node_id))
        if token is not None
    ]
    newest = select(PlanRow.unit_id, PlanRow.token).order_by(PlanRow.unit_id)
    plans = [(topics.unit_plan(UnitId(unit_id)), token) for unit_id, token in db.execute(newest)]
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


def forget(db: Session, *, now: datetime) -> int:
    """Drop what served only to know second copies, and refusals long past; say how many."""
    reports = delete(ReportRow).where(ReportRow.received_at < now - REPORTS_KEPT)
    refusals = delete(RefusalRow).where(RefusalRow.at < now - REFUSALS_KEPT)
    gone = len(db.scalars(reports.returning(ReportRow.report_id)).all())
    return gone + len(db.scalars(refusals.returning(RefusalRow.refusal_id)).all())


def _take_telemetry(db: Session, node: NodeRow, word: Telemetry, now: datetime) -> None:
    before = _shown_measurements(node)
    node.data_mb += counted(word.data_total_mb, node.telemetry.get("data_total_mb"))
    node.telemetry = msgspec.to_builtins(msgspec.structs.replace(word, nonce=""))
    if _shown_measurements(node) != before:
        events.emit(db, kind="cluster", ref=node.cluster_id, now=now)


def _shown_measurements(node: NodeRow) -> tuple[object, ...]:
    """Give what pages show of a node's measurements and do not read anew every now and then."""
    told = node.telemetry
    return told.get("clock_trusted") is False, tuple(told.get("troubles", ())), told.get("tone")


def _take_alarms(db: Session, node: NodeRow, word: Alarms, *, now: datetime) -> None:
    # A clock that stands in the future would hide all that comes after.
    at = min(word.at, now)
    if node.alarms_at is not None and at < node.alarms_at:
        return
    node.alarms_at = at
    if node.alarms != sorted(word.standing):
        node.alarms = sorted(word.standing)
        events.emit(db, kind="cluster", ref=node.cluster_id, now=now)


def _take_presence(
    db: Session, node: NodeRow, word: Presence, facts: Known, *, now: datetime
) -> None:
    came_back = word.state.value == "here" and node.presence != "here"
    before = _shown(node)
    changed = node.presence != word.state.value
    node.presence = word.state.value
    node.presence_at = now if changed or node.presence_at is None else node.presence_at
    if word.state.value == "here":
        node.last_heard_at = now
        node.software = word.software[:LONGEST_SOFTWARE]
        node.held_config_version = word.config_version
        node.plan_versions = dict(word.plan_versions)
        node.equipment = None if word.equipment is None else sorted(set(word.equipment))
        _on_air(db, node, word.on_air, word.at or now, now)
        if came_back:
            orders = facts.orders.get(node.cluster_id, ())
            broadcast_deliveries.send_missing(db, node, orders, now=now)
            silences = facts.silences.get(node.cluster_id, ())
            hush_deliveries.send_missing(db, node, silences, now=now)
    else:
        node.on_air = ""
    if _shown(node) != before:
        events.emit(db, kind="cluster", ref=node.cluster_id, now=now)


def _shown(node: NodeRow) -> tuple[object, ...]:
    """Give what pages show of a node's presence."""
    versions = node.held_config_version, dict(node.plan_versions)
    return node.presence, node.software, node.equipment, versions


def _heard(db: Session, node: NodeRow, now: datetime) -> None:
    """Note a sign of life; it outweighs a will that came late from a link given up before."""
    node.last_heard_at = now
    if node.presence != "here":
        node.presence = "here"
        node.presence_at = now
        events.emit(db, kind="cluster", ref=node.cluster_id, now=now)


def _on_air(db: Session, node: NodeRow, claim: str, said_at: datetime, now: datetime) -> None:
    """Note what a node sounded at an instant of its own clock; older words change nothing."""
    if node.on_air_at is not None and said_at < node.on_air_at:
        return
    node.on_air_at = said_at
    if node.on_air != claim:
        node.on_air = claim
        events.emit(db, kind="cluster", ref=node.cluster_id, now=now)


def _take_answer(
    db: Session, node: NodeRow, word: ClaimReport, facts: Known, *, now: datetime
) -> None:
    """Take in what is the answer to a hush, or to an order to this one node."""
    hush = facts.hushes.get((word.claim_id, node.cluster_id))
    if hush is not None and isinstance(word, Received | Refused):
        hush_deliveries.take_receipt(db, hush, word, now=now)
    ordered = facts.upkeep.get(upkeep_words.name_in(word))
    if ordered is not None:
        upkeep_words.take(db, ordered, node.node_id, word, now=now)


def _take_report(
    db: Session, node: NodeRow, word: ClaimReport, facts: Known, *, now: datetime
) -> None:
    cluster = node.cluster_id
    delivery = facts.deliveries.get((word.claim_id, cluster))
    _take_answer(db, node, word, facts, now=now)
    match word:
        case Received() | Started() | Preempted():
            if delivery is not None:
                _advance(db, delivery, _WORDS[type(word)], word.at, now)
            if isinstance(word, Started):
                _on_air(db, node, facts.unless_over(word.claim_id, cluster), word.at, now)
            elif isinstance(word, Preempted):
                _on_air(db, node, facts.unless_over(word.by, cluster), word.at, now)
        case Refused():
            _take_refusal(db, node, delivery, word, now)
        case AsRun():
            record = facts.records[word.claim_id, cluster]
            as_run.take_record(db, record, node, word, now=now)
            facts.over.add((word.claim_id, cluster))
            if node.on_air == word.claim_id:
                node.on_air = ""
                events.emit(db, kind="cluster", ref=node.cluster_id, now=now)
            if delivery is not None:
                _conclude(db, delivery, record, now)
        case Done():
            pass


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
        reason = f"refused:{word.reason.value}"
        _advance(db, delivery, State.REFUSED, word.at, now, reason=reason)


def _advance(
    db: Session,
    delivery: DeliveryRow,
    word: State,
    said_at: datetime,
    now: datetime,
    *,
    reason: str = "",
) -> None:
    if word is not State.REFUSED:
        delivery.received_at = _earlier(delivery.received_at, said_at)
    if word is State.STARTED:
        delivery.started_at = _earlier(delivery.started_at, said_at)
    if not advances(delivery.state, delivery.changed_at, word, said_at):
        return
    delivery.state = word.value
    delivery.reason = reason
    delivery.changed_at = said_at
    events.emit(db, kind="broadcast", ref=delivery.broadcast_id, now=now)


def _conclude(db: Session, delivery: DeliveryRow, record: AsRunRow, now: datetime) -> None:
    """Let a delivery end as the record says; what the server had concluded from silence yields."""
    said_at = as_run.said_at(record)
    delivery.state = record.outcome
    delivery.reason = record.reason
    delivery.ended_at = record.end or said_at
    delivery.changed_at = said_at
    delivery.next_attempt_at = None
    events.emit(db, kind="broadcast", ref=delivery.broadcast_id, now=now)


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)
