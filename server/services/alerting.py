"""Alerts on their way: which are due, and what became of each try.

Whoever sends takes them out in one transaction, sends with none open, and notes in another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.domain.alerts import (
    MOST_TRIES,
    UNSENT,
    AlertState,
    Answer,
    Result,
    next_try,
)
from server.domain.waiting import State, state_at
from server.services import events
from server.store.models import (
    AlertChannelRow,
    AlertRow,
    BroadcastRow,
    ContactRow,
    WaitingRow,
)

MOST_AT_ONCE = 20
LEASE = timedelta(seconds=90)
"""Well above what a messenger may take; then whoever had it in hand is gone."""
TESTS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class InHand:
    """An alert that is to be sent now."""

    alert_id: int
    number: int
    sealed_url: bytes
    subject: str
    body: str


def is_any_due(db: Session, *, now: datetime) -> bool:
    """Say whether there is anything to send."""
    due = select(AlertRow.alert_id).where(AlertRow.next_try_at <= now).limit(1)
    return db.scalar(due) is not None


def take_in_hand(db: Session, *, now: datetime) -> Sequence[InHand]:
    """Take some alerts that are due; nobody else gets them until they are noted or interrupted.

    One that somebody had in hand and never noted is tried again: it may have gone out and may not,
    and a village that nobody is told of is worse than somebody who is told twice.
    """
    rows = db.execute(
        select(AlertRow, AlertChannelRow.sealed_url, BroadcastRow, WaitingRow)
        .outerjoin(AlertChannelRow, AlertChannelRow.channel_id == AlertRow.channel_id)
        .outerjoin(BroadcastRow, BroadcastRow.broadcast_id == AlertRow.broadcast_id)
        .outerjoin(WaitingRow, WaitingRow.broadcast_id == AlertRow.waiting_id)
        .where(AlertRow.next_try_at <= now)
        .order_by(AlertRow.next_try_at, AlertRow.alert_id)
        .limit(MOST_AT_ONCE)
        .with_for_update(of=AlertRow, skip_locked=True)
    ).all()
    taken = []
    for row, sealed_url, broadcast, waiting in rows:
        if row.state == AlertState.SENDING:
            _add_result(row, Answer(Result.INTERRUPTED), now)
        if (
            row.state not in UNSENT
            or sealed_url is None
            or _is_past(row, broadcast or waiting, now)
        ):
            _settle(db, row, AlertState.DROPPED, now)
        elif row.tries >= MOST_TRIES:
            _settle(db, row, AlertState.GIVEN_UP, now)
        else:
            row.state, row.next_try_at = AlertState.SENDING.value, now + LEASE
            row.tries += 1
            taken.append(InHand(row.alert_id, row.tries, sealed_url, row.subject, row.body))
    return taken


def note(db: Session, results: Mapping[InHand, Answer], *, now: datetime) -> None:
    """Note what became of a try: sent, to be tried again, or given up.

    What was taken out of hand again meanwhile counts only if it did go out.
    """
    numbers = {one.alert_id: one.number for one in results}
    answers = {one.alert_id: answer for one, answer in results.items()}
    rows = db.scalars(
        select(AlertRow)
        .where(AlertRow.alert_id.in_(answers))
        .order_by(AlertRow.alert_id)
        .with_for_update()
    )
    for row in rows.all():
        answer = answers[row.alert_id]
        is_sent = answer.result is Result.SENT
        is_ours = row.state == AlertState.SENDING and row.tries == numbers[row.alert_id]
        if not (is_ours or is_sent) or row.state == AlertState.SENT:
            continue
        _add_result(row, answer, now)
        if is_sent:
            _settle(db, row, AlertState.SENT, now)
            continue
        most = 1 if row.is_test else MOST_TRIES
        again_at = next_try(answer, row.tries, most=most, now=now)
        if again_at is None:
            _settle(db, row, AlertState.GIVEN_UP, now)
        else:
            row.state, row.next_try_at = AlertState.WAITING.value, again_at
            _tell_pages(db, row, now)


def forget(db: Session, *, now: datetime) -> int:
    """Drop tests of long ago; say how many."""
    old = delete(AlertRow).where(AlertRow.is_test, AlertRow.created_at < now - TESTS_KEPT)
    return len(db.scalars(old.returning(AlertRow.alert_id)).all())


def _is_past(row: AlertRow, about: BroadcastRow | WaitingRow | None, now: datetime) -> bool:
    """Say whether nobody is helped by it any more; a test nobody waits for is not sent either."""
    match about:
        case BroadcastRow():
            return about.stopped_at is not None or about.end <= now
        case WaitingRow():
            return state_at(about.state, about.ends_at, now) is not State.WAITING
        case None:
            return now >= row.created_at + LEASE


def _settle(db: Session, row: AlertRow, state: AlertState, now: datetime) -> None:
    row.state, row.next_try_at = state.value, None
    _tell_pages(db, row, now)


def _add_result(row: AlertRow, answer: Answer, now: datetime) -> None:
    result = {"at": now.isoformat(), "result": answer.result.value, "words": answer.words}
    row.results = [*row.results, result]


def _tell_pages(db: Session, row: AlertRow, now: datetime) -> None:
    if row.broadcast_id is not None:
        events.emit(db, kind="broadcast", ref=row.broadcast_id, now=now)
        return
    if row.waiting_id is not None:
        events.emit(db, kind="waiting", ref=row.waiting_id, now=now)
        return
    contact = db.get_one(ContactRow, row.contact_id)
    events.emit(db, kind="contact", ref=contact.unit_id, now=now)
