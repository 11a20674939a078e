"""What the database holds on words of nodes, read in one go for many.

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
    broadcasting,
    hush_deliveries,
    record_chains,
    upkeep,
    upkeep_words,
)
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
        reports: Reports that were taken in before, by node and report id; grows as words are
            taken in.
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
    reports: set[tuple[str, str]]
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
    """Read what is needed to take in these words, each with its node's id.

    Of what no database can hold nothing is read: ``take_in`` refuses it.
    """
    words = [(node, word) for node, word in words if _is_sound(word)]
    active = select(NodeRow).where(
        NodeRow.decommissioned_at.is_(None), NodeRow.node_id.in_({node for node, _ in words})
    )
    nodes = {row.node_id: row for row in db.scalars(active)}
    here = {
        nodes[node_id].cluster_id
        for node_id, word in words
        if node_id in nodes and isinstance(word, Presence) and word.state is PresenceState.HERE
    }
    orders = broadcasting.holding(db, here, now=now)
    silences = hush_deliveries.holding(db, here, now=now)
    told = [word for _, word in words if isinstance(word, Report)]
    if not told:
        return Known(nodes, set(), {}, {}, {}, {}, orders, silences, set(), {})
    before = select(ReportRow.node_id, ReportRow.report_id).where(
        ReportRow.node_id.in_(nodes), ReportRow.report_id.in_({word.report_id for word in told})
    )
    claims = {word.claim_id for word in told if isinstance(word, ClaimReport)}
    # Locked: the scheduler may be drawing conclusions from these nodes' silence.
    sent = (
        select(DeliveryRow)
        .where(
            DeliveryRow.broadcast_id.in_(claims),
            DeliveryRow.cluster_id.in_({row.cluster_id for row in nodes.values()}),
        )
        .order_by(DeliveryRow.delivery_id)
        .with_for_update()
    )
    reports = {(node_id, report_id) for node_id, report_id in db.execute(before)}
    deliveries = {(row.broadcast_id, row.cluster_id): row for row in db.scalars(sent)}
    new = [
        (nodes[node_id].cluster_id, word)
        for node_id, word in words
        if node_id in nodes
        and isinstance(word, ClaimReport)
        and (node_id, word.report_id) not in reports
    ]
    ended = {(word.claim_id, cluster) for cluster, word in new if isinstance(word, AsRun)}
    begun = {(word.claim_id, cluster) for cluster, word in new if isinstance(word, Started)}
    begun |= {(word.by, cluster) for cluster, word in new if isinstance(word, Preempted)}
    return Known(
        nodes,
        reports,
        deliveries,
        _hushes_of(db, told, nodes.values()),
        _upkeep_of(db, told),
        as_run.rows_of(db, ended, now=now),
        orders,
        silences,
        as_run.told_of(db, begun),
        record_chains.neighbours(db, [(n, word) for n, word in words if isinstance(word, AsRun)]),
    )


def _hushes_of(
    db: Session, words: Iterable[NodeWord], nodes: Iterable[NodeRow]
) -> dict[Place, HushDeliveryRow]:
    named = {word.claim_id for word in words if isinstance(word, Received | Refused)}
    named = {name for name in named if is_hush_id(name)}
    if not named:
        return {}
    sent = (
        select(HushDeliveryRow)
        .where(
            HushDeliveryRow.hush_id.in_(named),
            HushDeliveryRow.cluster_id.in_({row.cluster_id for row in nodes}),
        )
        .order_by(HushDeliveryRow.delivery_id)
        .with_for_update()
    )
    return {(row.hush_id, row.cluster_id): row for row in db.scalars(sent)}


def _upkeep_of(db: Session, words: Iterable[NodeWord]) -> dict[str, UpkeepRow]:
    named = {upkeep_words.name_in(word) for word in words if isinstance(word, ClaimReport)} - {""}
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
    if isinstance(word, AsRun):
        instants += [at for part in word.segments for at in (part.start, part.end)]
    if len(claim) > LONGEST_CLAIM_ID:
        raise RefusedError(Refusal.GARBLED, "claim id")
    if any(not SENSIBLE[0] <= at < SENSIBLE[1] for at in instants):
        raise RefusedError(Refusal.GARBLED, "no sensible time")
    if b"\\u0000" in encode(word):
        raise RefusedError(Refusal.GARBLED, "zero character")


def _is_sound(word: NodeWord) -> bool:
    try:
        check(word)
    except RefusedError:
        return False
    return True
