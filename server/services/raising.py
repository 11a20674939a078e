"""Raise alerts: take the steps that are due, and write down what each channel is to be told."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.domain import alert_words
from server.domain.alert_words import Case, SilentCluster, Text
from server.domain.alerts import UNSENT, AlertState
from server.domain.escalation import ALL_ANSWER_S, Due, Silence, whom
from server.services.contacts import channels_of
from server.services.units import unit_names
from server.store.models import (
    AlertChannelRow,
    AlertRow,
    ClusterRow,
    ContactRow,
    DeliveryRow,
    EscalationRow,
    NodeRow,
)


@dataclass(frozen=True, slots=True)
class Open:
    """An announcement that lasts, and what is needed to judge its clusters."""

    broadcast_id: str
    unit_id: str
    title: str
    bulletin_class: str
    sent_at: datetime
    start: datetime


@dataclass(frozen=True, slots=True)
class About:
    """What an alert is about: a step of an announcement, or what waits to be confirmed."""

    broadcast_id: str | None = None
    waiting_id: str | None = None
    after_s: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """One alert, with the names of whom and of the channel."""

    alert: AlertRow
    contact_name: str
    phone: str
    channel_name: str
    scheme: str

    @property
    def about(self) -> str:
        """``confirmation``, ``silence`` or ``all-answer``."""
        if self.alert.waiting_id is not None:
            return "confirmation"
        return "silence" if self.alert.after_s else "all-answer"


def taken(db: Session, broadcasts: Iterable[str]) -> dict[str, dict[int, EscalationRow]]:
    """Read the steps that were taken for some announcements."""
    found: dict[str, dict[int, EscalationRow]] = {one: {} for one in broadcasts}
    for row in db.scalars(select(EscalationRow).where(EscalationRow.broadcast_id.in_(found))):
        found[row.broadcast_id][row.after_s] = row
    return found


def take_steps(
    db: Session, one: Open, due: Due, *, is_first: bool, site: str, now: datetime
) -> None:
    """Take the steps that are due: each person is told once, by the last step that names them.

    Args:
        db: The transaction.
        one: The announcement.
        due: Who is silent, and which steps are due.
        is_first: Whether no step was taken before.
        site: Address of the pages.
        now: When.
    """
    total = _total(db, one.broadcast_id)
    for step in due.steps:
        db.add(_taken(one, step.after_s, silent=len(due.silent), total=total, now=now))
    case = _case(db, one, total, site)
    clusters = _clusters(db, one.broadcast_id, due.silent)

    def text(language: str) -> Text:
        return alert_words.of_silence(case, clusters, is_first=is_first, language=language)

    named = whom(due.steps)
    contacts = db.scalars(
        select(ContactRow).where(ContactRow.contact_id.in_(named), ContactRow.gone_at.is_(None))
    ).all()

    def about(contact: ContactRow) -> About:
        return About(one.broadcast_id, after_s=named[contact.contact_id].after_s)

    tell(db, contacts, text, about=about, now=now)


def tell(
    db: Session,
    contacts: Sequence[ContactRow],
    text: Callable[[str], Text],
    *,
    about: Callable[[ContactRow], About],
    now: datetime,
) -> None:
    """Tell people on all their channels; who has none is to be called."""
    channels = channels_of(db, [contact.contact_id for contact in contacts])
    for contact in contacts:
        facts = _facts(contact, text, about(contact), now)
        own = [row for row in channels if row.contact_id == contact.contact_id]
        db.add_all(_to_channel(row, facts) for row in own)
        if not own:
            db.add(AlertRow(**facts, target=contact.contact_id, state=AlertState.TO_CALL.value))


def tell_all_answer(db: Session, one: Open, *, site: str, now: datetime) -> bool:
    """Tell those who were told of silence that it is over; say whether that is done.

    What has not gone out yet does not go out any more. While something is being sent, nobody knows
    yet who will have been told, so it waits.
    """
    rows = db.scalars(
        select(AlertRow)
        .where(AlertRow.broadcast_id == one.broadcast_id)
        .order_by(AlertRow.alert_id)
        .with_for_update()
    ).all()
    if any(row.state == AlertState.SENDING for row in rows):
        return False
    for row in rows:
        if row.state in UNSENT:
            row.state, row.next_try_at = AlertState.DROPPED.value, None
    total = _total(db, one.broadcast_id)
    db.add(_taken(one, ALL_ANSWER_S, silent=0, total=total, now=now))
    told = {row.channel_id for row in rows if row.state == AlertState.SENT and row.channel_id}
    case = _case(db, one, total, site)
    kept = (
        select(AlertChannelRow, ContactRow)
        .join(ContactRow, ContactRow.contact_id == AlertChannelRow.contact_id)
        .where(AlertChannelRow.channel_id.in_(told), AlertChannelRow.gone_at.is_(None))
    )

    def text(language: str) -> Text:
        return alert_words.of_answers(case, language=language)

    for channel, contact in db.execute(kept).all():
        about = About(one.broadcast_id, after_s=ALL_ANSWER_S)
        db.add(_to_channel(channel, _facts(contact, text, about, now)))
    return True


def told_of(db: Session, broadcast_id: str) -> list[Told]:
    """List what was told to whom of an announcement, the earliest first.

    Who was asked to confirm it is told of first: it waited under the same id.
    """
    rows = db.execute(
        select(AlertRow, ContactRow, AlertChannelRow)
        .join(ContactRow, ContactRow.contact_id == AlertRow.contact_id)
        .outerjoin(AlertChannelRow, AlertChannelRow.channel_id == AlertRow.channel_id)
        .where(or_(AlertRow.broadcast_id == broadcast_id, AlertRow.waiting_id == broadcast_id))
        .order_by(AlertRow.alert_id)
    )
    return [
        Told(
            alert,
            contact.name,
            contact.phone,
            channel.name if channel else "",
            channel.scheme if channel else "",
        )
        for alert, contact, channel in rows
    ]


def _facts(
    contact: ContactRow, text: Callable[[str], Text], about: About, now: datetime
) -> dict[str, object]:
    said = text(contact.language)
    return {
        "broadcast_id": about.broadcast_id,
        "waiting_id": about.waiting_id,
        "after_s": about.after_s,
        "contact_id": contact.contact_id,
        "subject": said.subject,
        "body": said.body,
        "created_at": now,
    }


def _to_channel(channel: AlertChannelRow, facts: Mapping[str, object]) -> AlertRow:
    return AlertRow(
        **facts,
        target=channel.channel_id,
        channel_id=channel.channel_id,
        state=AlertState.WAITING.value,
        next_try_at=facts["created_at"],
    )


def _taken(one: Open, after_s: int, *, silent: int, total: int, now: datetime) -> EscalationRow:
    return EscalationRow(
        broadcast_id=one.broadcast_id, after_s=after_s, at=now, silent=silent, total=total
    )


def _case(db: Session, one: Open, total: int, site: str) -> Case:
    address = f"{site}/broadcasts/{one.broadcast_id}"
    unit = unit_names(db).get(one.unit_id, one.unit_id)
    return Case(one.title, unit, one.sent_at, total, address)


def _total(db: Session, broadcast_id: str) -> int:
    of_it = DeliveryRow.broadcast_id == broadcast_id
    return db.scalar(select(func.count()).select_from(DeliveryRow).where(of_it)) or 0


def _clusters(
    db: Session, broadcast_id: str, silent: Mapping[str, Silence]
) -> Sequence[SilentCluster]:
    rows = db.execute(
        select(ClusterRow, NodeRow.last_heard_at)
        .join(DeliveryRow, DeliveryRow.cluster_id == ClusterRow.cluster_id)
        .outerjoin(
            NodeRow,
            (NodeRow.cluster_id == ClusterRow.cluster_id) & NodeRow.decommissioned_at.is_(None),
        )
        .where(DeliveryRow.broadcast_id == broadcast_id)
        .order_by(ClusterRow.village, ClusterRow.name)
    )
    return [
        SilentCluster(
            cluster.village or cluster.name,
            silent[cluster.cluster_id],
            last_heard_at,
            cluster.contact_name,
            cluster.contact_phone,
        )
        for cluster, last_heard_at in rows
        if cluster.cluster_id in silent
    ]
