"""What really sounded: one record for each claim and cluster, and what silence means."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from protocol.messages import AsRun, Outcome, SoundProof
from server.domain.deliveries import FINAL, State
from server.domain.hearing import Stretch
from server.domain.recurrence import LOCAL, local_day
from server.domain.slots import ContentKind, claim_id
from server.domain.upkeep import is_talk_id
from server.services import events
from server.services.planning import slots_of
from server.services.slot_values import rule_of_columns
from server.services.turn_taking import noted, turns_of
from server.services.units import tree
from server.store.inserts import insert_new
from server.store.models import (
    AsRunRow,
    BroadcastRow,
    DeliveryRow,
    NodeRow,
    OccurrenceRow,
    SlotRow,
    UpkeepRow,
)
from server.store.queries.among import among
from server.store.queries.slots import TIMES

GRACE = timedelta(seconds=60)
"""How long after the end a node's own word is waited for before silence is put on record."""

LOOK_BACK = timedelta(days=1)
OCCURRENCES_KEPT = timedelta(days=400)
"""A month can be laid beside the same month of the year before. Much longer than ``LOOK_BACK``:
what is forgotten must not be noted anew."""
NODE, SERVER = "node", "server"

MOST_AT_ONCE = 500
"""Records made from silence in one transaction: an urgent order must not wait for more."""


def take_record(db: Session, row: AsRunRow, node: NodeRow, record: AsRun, *, now: datetime) -> None:
    """Keep a node's record of one claim in its row; it replaces what was concluded from silence.

    A node that lost its memory half-way tells the rest in a second record: still one row, with all
    that was heard, and with the outcome of the record that the node made last. Whichever of the
    two comes first, the row ends the same.
    """
    heard: list[dict[str, str]] = msgspec.to_builtins(list(record.segments))
    at = record.at.astimezone(UTC).isoformat()
    said = ["heard" if heard else "", at, record.outcome.value, record.reason]
    unchained = record.link is None
    proofs = [] if record.proof is None else [msgspec.to_builtins(record.proof)]
    if row.source == NODE:
        if (before := row.segments.get("proof")) is not None:
            proofs.insert(len(proofs) if said >= row.segments["said"] else 0, before)
        unchained |= row.segments.get("unchained", False)
        heard = _merged(row.segments["heard"], heard)
        said = max(said, row.segments.get("said", said))
    row.node_id = node.node_id
    *_, row.outcome, row.reason = said
    row.start = min((_instant(segment["start"]) for segment in heard), default=None)
    row.end = max((_instant(segment["end"]) for segment in heard), default=None)
    row.segments = {"heard": heard, "said": said}
    if proofs:
        row.segments["proof"] = proofs[0]
    if unchained:
        row.segments["unchained"] = True
    if record.frames is not None:
        row.segments["frames"] = msgspec.to_builtins(record.frames)
    row.source = NODE
    row.recorded_at = now
    events.emit(db, kind="as-run", ref=node.cluster_id, now=now)


def rows_of(
    db: Session, places: Collection[tuple[str, str]], *, now: datetime
) -> dict[tuple[str, str], AsRunRow]:
    """Find the one row of each claim at a cluster, locked; make those that are not there."""
    # The scheduler may be concluding the same at this moment: then its rows are taken over.
    _insert_silence(db, dict.fromkeys(sorted(places), "no-report"), now)
    return _locked(db, places)


def told_of(db: Session, places: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Tell which claims at which clusters the node itself has told the end of."""
    if not places:
        return set()
    told = select(AsRunRow.claim_id, AsRunRow.cluster_id).where(
        _may_be_of(places), AsRunRow.source == NODE
    )
    return {(claim, cluster) for claim, cluster in db.execute(told)} & set(places)


def said_at(row: AsRunRow) -> datetime:
    """Tell when, by its own clock, the node said what a row of its own goes by."""
    return _instant(row.segments["said"][1])


def stretches_of(row: AsRunRow) -> tuple[Stretch, ...]:
    """Tell when which part of it was heard, in order."""
    return tuple(
        Stretch(_instant(one["start"]), _instant(one["end"]), float(one["position_s"]))
        for one in row.segments["heard"]
    )


def proof_of(row: AsRunRow) -> SoundProof | None:
    """Tell what its node heard of it, where it listens."""
    told = row.segments.get("proof")
    return None if told is None else msgspec.convert(told, SoundProof)


def segments_of(row: AsRunRow) -> tuple[tuple[datetime, datetime], ...]:
    """Tell when it was heard, in order."""
    return tuple((one.start, one.end) for one in stretches_of(row))


def sounded(row: AsRunRow) -> timedelta:
    """Tell how long it was heard, the pauses in between left out."""
    return sum((end - start for start, end in segments_of(row)), timedelta())


def records(
    db: Session,
    *,
    since: datetime,
    until: datetime,
    clusters: Collection[str] | None = None,
    cluster_id: str | None = None,
    claim: str | None = None,
    limit: int = 1000,
) -> Sequence[AsRunRow]:
    """List records of what sounded, or was put on record, from ``since`` to ``until``.

    With ``clusters`` the limit counts records of these alone.
    """
    rows = select(AsRunRow).where(
        or_(
            (AsRunRow.start >= since) & (AsRunRow.start < until),
            AsRunRow.start.is_(None)
            & (AsRunRow.recorded_at >= since)
            & (AsRunRow.recorded_at < until),
        )
    )
    if clusters is not None:
        rows = rows.where(AsRunRow.cluster_id.in_(clusters))
    if cluster_id is not None:
        rows = rows.where(AsRunRow.cluster_id == cluster_id)
    if claim is not None:
        rows = rows.where(AsRunRow.claim_id == claim)
    return db.scalars(rows.order_by(AsRunRow.as_run_id.desc()).limit(limit)).all()


def conclude_missed(db: Session, *, now: datetime, since: datetime | None = None) -> int:
    """Put silence on record: every cluster of an ended occurrence has its record.

    After a long absence there may be days of it, so it is done piece by piece.

    Args:
        db: The transaction.
        now: When.
        since: What had begun by then is known to have been noted; None: all of ``LOOK_BACK`` is
            gone through.

    Returns:
        How many records were made from silence.
    """
    _note_occurrences(db, since, now=now)
    concluded = 0
    ended = (
        select(OccurrenceRow)
        .where(OccurrenceRow.closed_at.is_(None), OccurrenceRow.end < now - GRACE)
        .order_by(OccurrenceRow.end, OccurrenceRow.claim_id)
        .limit(MOST_AT_ONCE)
    )
    for occurrence in db.scalars(ended).all():
        silent = dict.fromkeys(filter(None, occurrence.clusters.split(",")), "no-report")
        concluded += len(_missed(db, occurrence.claim_id, silent, now=now))
        occurrence.closed_at = now
        if concluded >= MOST_AT_ONCE:
            break
    return concluded


def forget_occurrences(db: Session, *, now: datetime) -> int:
    """Drop occurrences whose records are long complete; say how many."""
    gone = delete(OccurrenceRow).where(OccurrenceRow.closed_at < now - OCCURRENCES_KEPT)
    return len(db.scalars(gone.returning(OccurrenceRow.claim_id)).all())


def close_ended(db: Session, *, now: datetime) -> int:
    """Close broadcasts that can no longer sound; say how many clusters had not answered."""
    ended = (
        select(BroadcastRow)
        .where(BroadcastRow.closed_at.is_(None))
        .where(or_(BroadcastRow.end < now - GRACE, BroadcastRow.stopped_at < now - GRACE))
        .order_by(BroadcastRow.end)
        .limit(MOST_AT_ONCE)
    )
    concluded = 0
    for broadcast in db.scalars(ended).all():
        concluded += _close(db, broadcast, now)
        if concluded >= MOST_AT_ONCE:
            break
    return concluded


def _close(db: Session, broadcast: BroadcastRow, now: datetime) -> int:
    # Locked: a node's word that comes in at this moment must not be overwritten.
    rows = select(DeliveryRow).where(DeliveryRow.broadcast_id == broadcast.broadcast_id)
    deliveries = db.scalars(rows.order_by(DeliveryRow.delivery_id).with_for_update()).all()
    reasons = {delivery.cluster_id: _why_silent(delivery, broadcast) for delivery in deliveries}
    silent = _missed(db, broadcast.broadcast_id, reasons, now=now)
    for delivery in deliveries:
        if delivery.cluster_id in silent and delivery.state not in FINAL:
            delivery.state = Outcome.MISSED.value
            delivery.reason = reasons[delivery.cluster_id]
            delivery.changed_at = now
        delivery.next_attempt_at = None
    broadcast.closed_at = now
    events.emit(db, kind="broadcast", ref=broadcast.broadcast_id, now=now)
    return len(silent)


def _why_silent(delivery: DeliveryRow, broadcast: BroadcastRow) -> str:
    if delivery.reason:
        return delivery.reason
    if delivery.state != State.SENT:
        return "no-report"
    return "stopped-before-reached" if broadcast.stopped_at else "not-reached"


def _note_occurrences(db: Session, since: datetime | None, *, now: datetime) -> None:
    """Write down the occurrences that have begun lately, so that their end can be watched.

    This is asked every few seconds, so whole slots are read only where there is something new.
    """
    begun = _begun_lately(db, since, now)
    if not begun:
        return
    earliest = min(start for _, start, _ in begun.values())
    watched = select(OccurrenceRow.claim_id).where(OccurrenceRow.start >= earliest)
    new = begun.keys() - set(db.scalars(watched))
    if not new:
        return
    units = tree(db, today=local_day(now))
    wanted = sorted({begun[claim][0] for claim in new})
    slots = {slot.slot_id: slot for slot in slots_of(db, units=units, slot_ids=wanted)}
    taken = turns_of(db, {slot.unit_id for slot in slots.values()}, units)
    rows = [
        {
            "claim_id": claim,
            "slot_id": slot_id,
            "unit_id": slots[slot_id].unit_id,
            "title": slots[slot_id].title,
            "bulletin_class": slots[slot_id].bulletin_class.value,
            "start": start,
            "end": end,
            "clusters": ",".join(sorted(slots[slot_id].clusters)),
            "turns": noted(slots[slot_id], taken),
        }
        for claim in sorted(new)
        for slot_id, start, end in (begun[claim],)
        if slot_id in slots
    ]
    insert_new(db, OccurrenceRow, rows)


def _begun_lately(
    db: Session, since: datetime | None, now: datetime
) -> dict[str, tuple[str, datetime, datetime]]:
    """Find slot, start and end of the occurrences that began lately, by claim.

    Without ``since`` these are all that touch ``LOOK_BACK``.
    """
    wanted = select(
        SlotRow.slot_id,
        SlotRow.created_at,
        SlotRow.changed_at,
        *TIMES,
    ).where(
        SlotRow.withdrawn_at.is_(None),
        # A live slot without files claims nothing, so nothing of it can be missed.
        (SlotRow.content_kind != ContentKind.LIVE) | SlotRow.items.any(),
        SlotRow.first_day <= local_day(now),
        or_(SlotRow.last_day.is_(None), SlotRow.last_day >= local_day(now - 2 * LOOK_BACK)),
    )
    if since is not None:
        wanted = wanted.where(_begins_by_the_clock(since, now))
    begun = {}
    for slot_id, created_at, changed_at, *times in db.execute(wanted):
        rule = rule_of_columns(tuple(times))
        # What began before the slot was changed began at another time, and was noted then.
        changed = changed_at or created_at
        earliest = changed if since is None else max(since, changed)
        for start, end in rule.occurrences(max(now - LOOK_BACK, earliest), now):
            if start >= earliest:
                begun[claim_id(slot_id, start)] = (slot_id, start, end)
    return begun


def _begins_by_the_clock(since: datetime, now: datetime) -> ColumnElement[bool]:
    """Keep slots whose time of day lies between two instants that are less than a day apart."""
    first, last = (instant.astimezone(LOCAL).time() for instant in (since, now))
    if first <= last:
        return SlotRow.local_start.between(first, last)
    return or_(SlotRow.local_start >= first, SlotRow.local_start <= last)


def _missed(db: Session, claim: str, reasons: Mapping[str, str], *, now: datetime) -> set[str]:
    """Put the silence of clusters on record, with reasons; tell which had not spoken."""
    told = set(db.scalars(select(AsRunRow.cluster_id).where(AsRunRow.claim_id == claim)))
    silent = [cluster for cluster in reasons if cluster not in told]
    _insert_silence(db, {(claim, cluster): reasons[cluster] for cluster in silent}, now)
    return set(silent)


def _insert_silence(db: Session, reasons: Mapping[tuple[str, str], str], now: datetime) -> None:
    """Put on record, with its reason, what was claimed at clusters and not told of."""
    if not reasons:
        return
    units = _units_of(db, {claim for claim, _ in reasons})
    # Nobody ordered what was spoken at a box: it is of the unit that the box is of.
    spoken = {cluster for claim, cluster in reasons if is_talk_id(claim)}
    homes = tree(db, today=local_day(now)).clusters if spoken else {}
    rows: list[dict[str, object]] = [
        {
            "claim_id": claim,
            "cluster_id": cluster,
            "unit_id": homes.get(cluster) if is_talk_id(claim) else units.get(claim),
            "outcome": Outcome.MISSED.value,
            "reason": reason,
            "segments": {"heard": []},
            "source": SERVER,
            "recorded_at": now,
        }
        for (claim, cluster), reason in reasons.items()
    ]
    insert_new(db, AsRunRow, rows)


def _locked(db: Session, places: Collection[tuple[str, str]]) -> dict[tuple[str, str], AsRunRow]:
    if not places:
        return {}
    wanted = select(AsRunRow).where(_may_be_of(places))
    rows = db.scalars(wanted.order_by(AsRunRow.as_run_id).with_for_update())
    found = {(row.claim_id, row.cluster_id): row for row in rows}
    return {place: found[place] for place in places if place in found}


def _may_be_of(places: Collection[tuple[str, str]]) -> ColumnElement[bool]:
    """Ask for each claim at each of the clusters: those who report at once mostly report alike."""
    claims, clusters = zip(*places, strict=True)
    return among(AsRunRow.claim_id, set(claims)) & among(AsRunRow.cluster_id, set(clusters))


def _units_of(db: Session, claims: Collection[str]) -> dict[str, str]:
    """Tell whose the claims are; what is known of no more is nobody's."""
    slot_of = {claim: claim.rpartition("-")[0] for claim in claims}
    slots = select(SlotRow.slot_id, SlotRow.unit_id).where(SlotRow.slot_id.in_(slot_of.values()))
    broadcasts = select(BroadcastRow.broadcast_id, BroadcastRow.unit_id).where(
        BroadcastRow.broadcast_id.in_(claims)
    )
    ordered = select(UpkeepRow.order_id, UpkeepRow.unit_id).where(UpkeepRow.order_id.in_(claims))
    unit_of: dict[str, str] = dict(db.execute(slots).all())
    owners = {claim: unit_of[slot] for claim, slot in slot_of.items() if slot in unit_of}
    return {**dict(db.execute(broadcasts).all()), **dict(db.execute(ordered).all()), **owners}


def _merged(one: list[dict[str, str]], other: list[dict[str, str]]) -> list[dict[str, str]]:
    """Put stretches in order; of two that begin together the longer one says it all."""
    ordered = sorted((*one, *other), key=lambda segment: _instant(segment["end"]))
    by_start = {_instant(segment["start"]): segment for segment in ordered}
    return [by_start[start] for start in sorted(by_start)]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
