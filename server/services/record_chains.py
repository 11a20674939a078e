"""The chains of nodes' as-run records: kept and held against their neighbours as they come."""

from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from protocol.chain import NOTHING_BEFORE, digest_of
from protocol.messages import AsRun, ChainLink, FrameTally, Outcome, Segment
from server.domain.record_chains import Chain, ClusterChains, RecordCheck
from server.services import as_run
from server.store.models import AsRunRow, NodeRow, RecordLinkRow
from server.store.queries.among import among

Place = tuple[str, str, int]
"""A node, one of its chains, and a number in it."""


def neighbours(db: Session, told: Iterable[tuple[str, AsRun]]) -> dict[Place, RecordLinkRow]:
    """Read what is held at the places of some records of nodes, and next to them."""
    places = {
        (node_id, record.link.chain, record.link.number + step)
        for node_id, record in told
        if record.link is not None
        for step in (-1, 0, 1)
    }
    if not places:
        return {}
    row = RecordLinkRow
    wanted = select(row).where(tuple_(row.node_id, row.chain, row.number).in_(sorted(places)))
    return {(one.node_id, one.chain, one.number): one for one in db.scalars(wanted)}


def take(
    db: Session,
    held: MutableMapping[Place, RecordLinkRow],
    node: NodeRow,
    record: AsRun,
    *,
    now: datetime,
) -> None:
    """Keep the place of a record, and hold it against its neighbours, in whatever order they come.

    Args:
        db: The transaction.
        held: What is held near it; what is kept is put there too.
        node: Who told it.
        record: The record; one without a link is in no chain.
        now: When it came.
    """
    link = record.link
    if link is None:
        return
    place, digest = (node.node_id, link.chain, link.number), digest_of(record)
    if place in held:
        # The same once more, or another one in its place.
        held[place].is_broken |= held[place].digest != digest
        return
    before, after = (held.get((*place[:2], link.number + step)) for step in (-1, 1))
    fits = before is None or before.digest == link.previous
    if link.number == 1:
        fits = link.previous == NOTHING_BEFORE
    if after is not None and after.previous != digest:
        after.is_broken = True
    held[place] = RecordLinkRow(
        node_id=node.node_id,
        chain=link.chain,
        number=link.number,
        previous=link.previous,
        digest=digest,
        report_id=record.report_id,
        claim_id=record.claim_id,
        cluster_id=node.cluster_id,
        is_broken=not fits,
        received_at=now,
    )
    db.add(held[place])


def of_cluster(db: Session, cluster_id: str) -> ClusterChains:
    """Tell how the records of a cluster hang together."""
    row = RecordLinkRow
    is_kept = (AsRunRow.claim_id == row.claim_id) & (AsRunRow.cluster_id == row.cluster_id)
    counted = (
        select(
            row.node_id,
            row.chain,
            func.count(),
            func.max(row.number),
            func.count().filter(row.is_broken),
            func.count().filter(AsRunRow.as_run_id.is_(None)),
            func.max(row.received_at),
        )
        .outerjoin(AsRunRow, is_kept)
        .where(row.cluster_id == cluster_id)
        .group_by(row.node_id, row.chain)
    )
    found = db.execute(counted).all()
    newest = _digests(db, [(node, chain, number) for node, chain, _, number, *_ in found])
    chains = [
        Chain(node, chain, count, number, newest[node, chain, number], broken, removed, heard_at)
        for node, chain, count, number, broken, removed, heard_at in found
    ]
    return ClusterChains(tuple(sorted(chains, key=lambda chain: (chain.heard_at, chain.chain))))


def checked(db: Session, rows: Sequence[AsRunRow]) -> dict[int, RecordCheck]:
    """Tell of rows of the as-run record, by their ids, whether they say what their nodes told.

    Of a claim that a node told of twice only the chain itself can tell.
    """
    if not rows:
        return {}
    wanted = select(RecordLinkRow).where(
        among(RecordLinkRow.cluster_id, {row.cluster_id for row in rows}),
        among(RecordLinkRow.claim_id, {row.claim_id for row in rows}),
    )
    links = db.scalars(wanted).all()
    by_place = {(link.claim_id, link.cluster_id): link for link in links}
    told = Counter((link.claim_id, link.cluster_id) for link in links)
    return {
        row.as_run_id: _check(row, by_place, told[row.claim_id, row.cluster_id]) for row in rows
    }


def _digests(db: Session, places: Sequence[Place]) -> dict[Place, str]:
    if not places:
        return {}
    row = RecordLinkRow
    wanted = select(row.node_id, row.chain, row.number, row.digest).where(
        tuple_(row.node_id, row.chain, row.number).in_(places)
    )
    return {(node, chain, number): digest for node, chain, number, digest in db.execute(wanted)}


def _check(row: AsRunRow, links: Mapping[tuple[str, str], RecordLinkRow], told: int) -> RecordCheck:
    if not told:
        return RecordCheck.UNCHAINED
    if row.source != as_run.NODE:
        return RecordCheck.ALTERED
    link = links[row.claim_id, row.cluster_id]
    if told > 1 or digest_of(_told(row, link)) == link.digest:
        return RecordCheck.UNTOUCHED
    # Another record of it, which is in no chain, may be part of what is on record.
    is_mixed = row.segments.get("unchained", False)
    return RecordCheck.UNCHAINED if is_mixed else RecordCheck.ALTERED


def _told(row: AsRunRow, link: RecordLinkRow) -> AsRun:
    """Put together again what the node told, from what is on record."""
    frames = row.segments.get("frames")
    return AsRun(
        report_id=link.report_id,
        claim_id=row.claim_id,
        cluster=row.cluster_id,
        at=as_run.said_at(row),
        outcome=Outcome(row.outcome),
        reason=row.reason,
        segments=msgspec.convert(row.segments["heard"], tuple[Segment, ...]),
        frames=None if frames is None else msgspec.convert(frames, FrameTally),
        proof=as_run.proof_of(row),
        link=ChainLink(chain=link.chain, number=link.number, previous=link.previous),
    )
