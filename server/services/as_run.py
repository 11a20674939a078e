"""What really sounded: one record for each claim and cluster, and what silence means."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from protocol.messages import AsRun, Outcome
from server.domain.deliveries import FINAL
from server.domain.recurrence import local_day
from server.domain.slots import claim_id
from server.services import events
from server.services.planning import slots_of
from server.services.units import tree
from server.store.models import (
    AsRunRow,
    BroadcastRow,
    DeliveryRow,
    NodeRow,
    OccurrenceRow,
    SlotRow,
)

GRACE = timedelta(seconds=60)
"""How long after the end a node's own word is waited for before silence is put on record."""

LOOK_BACK = timedelta(days=1)
NODE, SERVER = "node", "server"


def take_record(db: Session, node: NodeRow, record: AsRun, *, now: datetime) -> None:
    """Keep a node's record of one claim; it replaces what the server concluded from silence."""
    row = db.scalar(
        select(AsRunRow).where(
            AsRunRow.claim_id == record.claim_id, AsRunRow.cluster_id == node.cluster_id
        )
    )
    segments: list[dict[str, str]] = msgspec.to_builtins(record.segments)
    if row is None:
        row = AsRunRow(
            claim_id=record.claim_id,
            cluster_id=node.cluster_id,
            unit_id=_unit_of_claim(db, record.claim_id),
        )
        db.add(row)
    elif row.source == NODE and row.segments["heard"]:
        if not segments:
            return
        # A node that lost its memory half-way tells the rest: still one record.
        segments = _merged(row.segments["heard"], segments)
    row.node_id = node.node_id
    row.outcome = record.outcome.value
    row.reason = record.reason
    row.start = datetime.fromisoformat(segments[0]["start"]) if segments else None
    row.end = datetime.fromisoformat(segments[-1]["end"]) if segments else None
    row.segments = {"heard": segments}
    row.source = NODE
    row.recorded_at = now
    events.emit(db, kind="as-run", ref=node.cluster_id, now=now)


def records(
    db: Session,
    *,
    since: datetime,
    until: datetime,
    cluster_id: str | None = None,
    claim: str | None = None,
    limit: int = 1000,
) -> Sequence[AsRunRow]:
    """List records of what sounded, or was put on record, from ``since`` to ``until``."""
    rows = select(AsRunRow).where(
        or_(
            AsRunRow.start.between(since, until),
            AsRunRow.start.is_(None) & AsRunRow.recorded_at.between(since, until),
        )
    )
    if cluster_id is not None:
        rows = rows.where(AsRunRow.cluster_id == cluster_id)
    if claim is not None:
        rows = rows.where(AsRunRow.claim_id == claim)
    return db.scalars(rows.order_by(AsRunRow.as_run_id.desc()).limit(limit)).all()


def conclude_missed(db: Session, *, now: datetime) -> int:
    """Put silence on record: every cluster of an ended occurrence or broadcast has its record.

    Returns:
        How many records were made from silence.
    """
    _note_occurrences(db, now=now)
    concluded = 0
    ended = select(OccurrenceRow).where(
        OccurrenceRow.closed_at.is_(None), OccurrenceRow.end < now - GRACE
    )
    for occurrence in db.scalars(ended).all():
        clusters = occurrence.clusters.split(",")
        concluded += _missed(db, occurrence.claim_id, clusters, now=now)
        occurrence.closed_at = now
    return concluded


def close_ended(db: Session, *, now: datetime) -> int:
    """Close broadcasts that can no longer sound; say how many clusters had not answered."""
    ended = (
        select(BroadcastRow)
        .where(BroadcastRow.closed_at.is_(None))
        .where(or_(BroadcastRow.end < now - GRACE, BroadcastRow.stopped_at < now - GRACE))
    )
    concluded = 0
    for broadcast in db.scalars(ended).all():
        deliveries = db.scalars(
            select(DeliveryRow).where(DeliveryRow.broadcast_id == broadcast.broadcast_id)
        ).all()
        stopped = "stopped-before-reached" if broadcast.stopped_at else "not-reached"
        for delivery in deliveries:
            reason = delivery.reason or stopped
            made = _missed(
                db, broadcast.broadcast_id, [delivery.cluster_id], now=now, reason=reason
            )
            concluded += made
            if made and delivery.state not in FINAL:
                delivery.state = Outcome.MISSED.value
                delivery.reason = reason
                delivery.changed_at = now
            delivery.next_attempt_at = None
        broadcast.closed_at = now
        events.emit(db, kind="broadcast", ref=broadcast.broadcast_id, now=now)
    return concluded


def _note_occurrences(db: Session, *, now: datetime) -> None:
    """Write down the occurrences that have begun lately, so that their end can be watched."""
    units = tree(db, today=local_day(now))
    begun = {
        claim_id(slot.slot_id, start): (slot, start, end)
        for slot in slots_of(db, units=units)
        for start, end in slot.rule.occurrences(max(now - LOOK_BACK, slot.created_at), now)
        if start >= slot.created_at
    }
    known = set(db.scalars(select(OccurrenceRow.claim_id).where(OccurrenceRow.claim_id.in_(begun))))
    db.add_all(
        OccurrenceRow(
            claim_id=claim,
            slot_id=slot.slot_id,
            start=start,
            end=end,
            clusters=",".join(sorted(slot.clusters)),
        )
        for claim, (slot, start, end) in begun.items()
        if claim not in known
    )


def _missed(
    db: Session, claim: str, clusters: Sequence[str], *, now: datetime, reason: str = "no-report"
) -> int:
    told = set(db.scalars(select(AsRunRow.cluster_id).where(AsRunRow.claim_id == claim)))
    silent = [cluster for cluster in clusters if cluster and cluster not in told]
    db.add_all(
        AsRunRow(
            claim_id=claim,
            cluster_id=cluster,
            unit_id=_unit_of_claim(db, claim),
            outcome=Outcome.MISSED.value,
            reason=reason,
            segments={"heard": []},
            source=SERVER,
            recorded_at=now,
        )
        for cluster in silent
    )
    return len(silent)


def _unit_of_claim(db: Session, claim: str) -> str | None:
    slot = select(SlotRow.unit_id).where(SlotRow.slot_id == claim.rpartition("-")[0])
    broadcast = select(BroadcastRow.unit_id).where(BroadcastRow.broadcast_id == claim)
    return db.scalar(slot) or db.scalar(broadcast)


def _merged(one: list[dict[str, str]], other: list[dict[str, str]]) -> list[dict[str, str]]:
    by_start = {str(segment["start"]): segment for segment in (*one, *other)}
    return [by_start[start] for start in sorted(by_start)]
