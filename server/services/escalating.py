"""Clusters that do not answer: who is named, and who is told of it by then."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from server.domain.escalation import Silence, Word, due, is_settled
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services import events, going_first, raising
from server.services.escalation_rules import rule_of
from server.services.raising import Open
from server.services.units import tree
from server.store.models import BroadcastRow, DeliveryRow, UnansweredRow


def name_unanswered(db: Session, *, now: datetime, site: str) -> int:
    """Name the clusters that do not answer in time, note those that do by now, and tell people.

    Args:
        db: The transaction.
        now: When.
        site: Address of the pages, for what people are told.

    Returns:
        For how many announcements something has changed.
    """
    lasting = _lasting(db, now=now)
    if not lasting:
        return 0
    units = tree(db, today=local_day(now))
    words = words_of(db, lasting, now=now, units=units)
    so_far = _silent_so_far(db, lasting)
    taken = raising.taken(db, so_far)
    changed = 0
    for one in lasting:
        before = taken[one.broadcast_id]
        rule = rule_of(db, one.unit_id, one.bulletin_class, units=units)
        found = due(
            rule,
            words[one.broadcast_id],
            before,
            sent_at=one.sent_at,
            start=one.start,
            now=now,
        )
        is_new = _note(db, one.broadcast_id, found.silent, so_far[one.broadcast_id], now=now)
        if found.steps:
            raising.take_steps(db, one, found, is_first=not before, site=site, now=now)
            is_new = True
        elif found.all_answer:
            is_new |= raising.tell_all_answer(db, one, site=site, now=now)
        if is_new:
            events.emit(db, kind="broadcast", ref=one.broadcast_id, now=now)
        changed += is_new
    return changed


def words_of(
    db: Session, lasting: Sequence[Open], *, now: datetime, units: Tree
) -> dict[str, list[Word]]:
    """Read what the clusters of some announcements have said that are not settled yet."""
    broadcasts = [one.broadcast_id for one in lasting]
    waiting = going_first.hushed(db, broadcasts, now=now, units=units).union(
        going_first.ahead(db, broadcasts, now=now)
    )
    rows = select(
        DeliveryRow.broadcast_id,
        DeliveryRow.cluster_id,
        DeliveryRow.state,
        DeliveryRow.received_at,
        DeliveryRow.started_at,
    ).where(
        DeliveryRow.broadcast_id.in_(broadcasts),
        DeliveryRow.started_at.is_(None),
    )
    found: dict[str, list[Word]] = {one.broadcast_id: [] for one in lasting}
    for broadcast_id, cluster_id, state, received_at, started_at in db.execute(rows):
        waits = (broadcast_id, cluster_id) in waiting
        word = word_of(cluster_id, state, received_at, started_at, waits=waits)
        if not is_settled(word):
            found[broadcast_id].append(word)
    return found


def word_of(
    cluster_id: str,
    state: str,
    received_at: datetime | None,
    started_at: datetime | None,
    *,
    waits: bool,
) -> Word:
    """Read what a delivery says."""
    return Word(
        cluster_id,
        state,
        has_received=received_at is not None,
        has_started=started_at is not None,
        waits=waits,
    )


def unanswered(db: Session, broadcast_id: str) -> dict[str, UnansweredRow]:
    """Give the clusters that were named for an announcement, those too that have answered since."""
    rows = select(UnansweredRow).where(UnansweredRow.broadcast_id == broadcast_id)
    return {row.cluster_id: row for row in db.scalars(rows)}


def _lasting(db: Session, *, now: datetime) -> list[Open]:
    rows = select(
        BroadcastRow.broadcast_id,
        BroadcastRow.unit_id,
        BroadcastRow.title,
        BroadcastRow.bulletin_class,
        BroadcastRow.created_at,
        BroadcastRow.start,
    ).where(
        BroadcastRow.closed_at.is_(None),
        BroadcastRow.stopped_at.is_(None),
        BroadcastRow.end > now,
    )
    return [Open(*row) for row in db.execute(rows.order_by(BroadcastRow.created_at))]


def _silent_so_far(db: Session, lasting: Sequence[Open]) -> dict[str, dict[str, str]]:
    """Read which clusters are on record as silent, each with why."""
    found: dict[str, dict[str, str]] = {one.broadcast_id: {} for one in lasting}
    rows = select(UnansweredRow.broadcast_id, UnansweredRow.cluster_id, UnansweredRow.why).where(
        UnansweredRow.broadcast_id.in_(found), UnansweredRow.answered_at.is_(None)
    )
    for broadcast_id, cluster_id, why in db.execute(rows):
        found[broadcast_id][cluster_id] = why
    return found


def _note(
    db: Session,
    broadcast_id: str,
    silent: Mapping[str, Silence],
    so_far: Mapping[str, str],
    *,
    now: datetime,
) -> bool:
    """Bring what is on record in line with who is silent; say whether it was not."""
    new = {one: why.value for one, why in silent.items() if so_far.get(one) != why}
    over = so_far.keys() - silent.keys()
    if not new and not over:
        return False
    known = select(UnansweredRow.cluster_id).where(UnansweredRow.broadcast_id == broadcast_id)
    there = set(db.scalars(known)) if new else set()
    first = [
        {"broadcast_id": broadcast_id, "cluster_id": one, "why": why, "since": now}
        for one, why in new.items()
        if one not in there
    ]
    changed = [
        {"broadcast_id": broadcast_id, "cluster_id": one, "why": why, "answered_at": None}
        for one, why in new.items()
        if one in there
    ]
    answered = [
        {"broadcast_id": broadcast_id, "cluster_id": one, "answered_at": now} for one in over
    ]
    if first:
        db.execute(insert(UnansweredRow), first)
    for rows in (changed, answered):
        if rows:
            db.execute(update(UnansweredRow), rows)
    return True
