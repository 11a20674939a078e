"""What the database holds on words of nodes, read and written in one go for many.

A thousand nodes that answer an order, or end it, say so at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.errors import Refusal, RefusedError
from protocol.messages import (
    Alarms,
    AsRun,
    ClaimReport,
    NodeWord,
    Preempted,
    Presence,
    PresenceState,
    Received,
    Refused,
    Report,
    Started,
    Telemetry,
    encode,
)
from server.domain.hushes import is_hush_id
from server.services import (
    as_run,
    broadcast_deliveries,
    data_plans,
    hush_deliveries,
    record_chains,
    upkeep,
    upkeep_words,
)
from server.store.inserts import insert_told_apart
from server.store.models import (
    AsRunRow,
    BroadcastRow,
    DeliveryRow,
    HushDeliveryRow,
    HushRow,
    NodeRow,
    RecordLinkRow,
    ReportRow,
    UpkeepRow,
)
from server.store.queries.among import among

LONGEST_CLAIM_ID = 96

SENSIBLE = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
"""A node's clock may be wrong, but what is not even in here is no time."""

Place = tuple[str, str]
"""A claim, and a cluster where it is heard."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds on some words that are to be taken in, read in one go.

    Attributes:
        nodes: Active nodes by id.
        new: Reports that had not been taken in before, by node and report id, and are on record
            now; shrinks as words are taken in.
        deliveries: Announcements on their way, by broadcast and cluster.
        hushes: Hushes on their way, by hush and cluster.
        upkeep: Orders to the one node of a cluster, by their names.
        records: The row of each claim at a cluster of which a record is among the words.
        orders: Announcements that hold where nodes say that they are here, by cluster.
        silences: Hushes and lifts that hold there.
        over: Claims at clusters whose record of the node itself is in; grows as words are taken in.
        links: Places in the chains of records near those of these words; grows as words are taken
            in.
    """

    nodes: Mapping[str, NodeRow]
    new: set[tuple[str, str]]
    deliveries: Mapping[Place, DeliveryRow]
    hushes: Mapping[Place, HushDeliveryRow]
    upkeep: Mapping[str, UpkeepRow]
    records: Mapping[Place, AsRunRow]
    orders: Mapping[str, Sequence[tuple[DeliveryRow, BroadcastRow]]]
    silences: Mapping[str, Sequence[tuple[HushDeliveryRow, HushRow]]]
    over: set[Place]
    links: dict[record_chains.Place, RecordLinkRow]

    def unless_over(self, claim: str, cluster: str) -> str:
        """Give the claim, or nothing where its record is in: reports may be old, out of order."""
        return "" if (claim, cluster) in self.over else claim


def known(db: Session, words: Iterable[tuple[str, NodeWord]], *, now: datetime) -> Known:
    """Read what is needed to take in these words, each with its node's id; put reports on record.

    The words are such as ``check`` lets pass.
    """
    words = tuple(words)
    # Locked in order: the scheduler changes many nodes at once too.
    active = (
        select(NodeRow)
        .where(NodeRow.decommissioned_at.is_(None), among(NodeRow.node_id, {n for n, _ in words}))
        .order_by(NodeRow.node_id)
        .with_for_update(key_share=True)
    )
    nodes = {row.node_id: row for row in db.scalars(active)}
    measured = {node_id for node_id, word in words if isinstance(word, Telemetry)}
    data_plans.begin_day(db, [row for name, row in nodes.items() if name in measured], now=now)
    here = {
        nodes[node_id].cluster_id
        for node_id, word in words
        if node_id in nodes and isinstance(word, Presence) and word.state is PresenceState.HERE
    }
    orders = broadcast_deliveries.holding(db, here, now=now)
    silences = hush_deliveries.holding(db, here, now=now)
    told = [
        (nodes[node_id], word)
        for node_id, word in words
        if node_id in nodes and isinstance(word, Report)
    ]
    if not told:
        return Known(nodes, set(), {}, {}, {}, {}, orders, silences, set(), {})
    recorded = _put_on_record(db, told, now)
    new = [
        (node.cluster_id, word)
        for node, word in told
        if isinstance(word, ClaimReport) and (node.node_id, word.report_id) in recorded
    ]
    ended = {(word.claim_id, cluster) for cluster, word in new if isinstance(word, AsRun)}
    begun = {(word.claim_id, cluster) for cluster, word in new if isinstance(word, Started)}
    begun |= {(word.by, cluster) for cluster, word in new if isinstance(word, Preempted)}
    return Known(
        nodes,
        recorded,
        _deliveries_of(db, new),
        _hushes_of(db, new),
        _upkeep_of(db, (word for _cluster, word in new)),
        as_run.rows_of(db, ended, now=now),
        orders,
        silences,
        as_run.told_of(db, begun),
        record_chains.neighbours(db, [(n, word) for n, word in words if isinstance(word, AsRun)]),
    )


def _put_on_record(
    db: Session, told: Iterable[tuple[NodeRow, Report]], now: datetime
) -> set[tuple[str, str]]:
    rows = [
        {
            "node_id": node.node_id,
            "report_id": word.report_id,
            "kind": str(type(word).__struct_config__.tag),
            "received_at": now,
        }
        for node, word in told
    ]
    return insert_told_apart(db, ReportRow, rows)


def _deliveries_of(
    db: Session, words: Sequence[tuple[str, ClaimReport]]
) -> dict[Place, DeliveryRow]:
    # Locked: the scheduler may be drawing conclusions from these nodes' silence.
    sent = (
        select(DeliveryRow)
        .where(
            among(DeliveryRow.broadcast_id, {word.claim_id for _, word in words}),
            among(DeliveryRow.cluster_id, {cluster for cluster, _ in words}),
        )
        .order_by(DeliveryRow.delivery_id)
        .with_for_update()
    )
    return {(row.broadcast_id, row.cluster_id): row for row in db.scalars(sent)}


def _hushes_of(
    db: Session, words: Iterable[tuple[str, ClaimReport]]
) -> dict[Place, HushDeliveryRow]:
    named = {
        (word.claim_id, cluster)
        for cluster, word in words
        if isinstance(word, Received | Refused) and is_hush_id(word.claim_id)
    }
    if not named:
        return {}
    sent = (
        select(HushDeliveryRow)
        .where(
            among(HushDeliveryRow.hush_id, {hush for hush, _ in named}),
            among(HushDeliveryRow.cluster_id, {cluster for _, cluster in named}),
        )
        .order_by(HushDeliveryRow.delivery_id)
        .with_for_update()
    )
    return {(row.hush_id, row.cluster_id): row for row in db.scalars(sent)}


def _upkeep_of(db: Session, words: Iterable[ClaimReport]) -> dict[str, UpkeepRow]:
    named = {upkeep_words.name_in(word) for word in words} - {""}
    return upkeep.rows_of(db, named) if named else {}


def check(word: NodeWord) -> None:
    """Refuse what no database can hold; everything else a node may say, right or wrong.

    Raises:
        RefusedError: Garbled.
    """
    match word:
        case Presence(on_air=claim) | Telemetry(on_air=claim):
            pass
        case Alarms():
            claim = ""
        case _:
            claim = word.claim_id
    instants = [] if word.at is None else [word.at]
    if isinstance(word, Telemetry) and word.tone is not None:
        instants.append(word.tone.at)
    if isinstance(word, AsRun):
        instants += [at for part in word.segments for at in (part.start, part.end)]
    if len(claim) > LONGEST_CLAIM_ID:
        raise RefusedError(Refusal.GARBLED, "claim id")
    if any(not SENSIBLE[0] <= at < SENSIBLE[1] for at in instants):
        raise RefusedError(Refusal.GARBLED, "no sensible time")
    if b"\\u0000" in encode(word):
        raise RefusedError(Refusal.GARBLED, "zero character")
