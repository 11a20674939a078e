"""People to be told when clusters do not answer."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import alert_words
from server.domain.alerts import UNSENT, AlertState
from server.domain.authority import Action, Actor, demand, demand_laying_down
from server.domain.errors import ContactRefusedError, Finding, UnknownThingError
from server.domain.recurrence import local_day
from server.services import audit, events
from server.services.texts import is_line
from server.services.units import tree
from server.store.models import AlertChannelRow, AlertRow, ContactRow

LONGEST_PHONE = 32


@dataclass(frozen=True, slots=True)
class NewContact:
    """Somebody as they are entered."""

    unit_id: str
    name: str
    phone: str = ""
    language: str = "vi"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it is shown, with its newest test; its address is not here."""

    channel_id: str
    name: str
    scheme: str
    test: AlertRow | None


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to be told; ``login`` is their account, empty where none was named."""

    contact_id: str
    unit_id: str
    name: str
    phone: str
    language: str
    login: str
    channels: tuple[Channel, ...]


def listed(db: Session, unit_id: str, *, actor: Actor, now: datetime) -> list[Contact]:
    """List a unit's own contacts for somebody who may look, by name.

    Raises:
        NotAllowedError: The actor may not see the unit.
    """
    demand(actor, Action.VIEW, tree(db, today=local_day(now)).chain(unit_id))
    return _shown(db, [unit_id])


def nameable(db: Session, unit_id: str, *, now: datetime) -> list[Contact]:
    """List those whom a unit's rule may name: its own, those above it, and those under it."""
    places = tree(db, today=local_day(now))
    return _shown(db, [*places.chain(unit_id)[:-1], *places.subtree(unit_id)])


def find(db: Session, contact_id: str, *, actor: Actor, now: datetime) -> Contact:
    """Find somebody, for who may change them.

    Raises:
        UnknownThingError: No such contact, or they are forgotten.
        NotAllowedError: The actor may not lay down rules for its unit.
    """
    row = changeable(db, contact_id, now=now, actor=actor)
    found = (one for one in _shown(db, [row.unit_id]) if one.contact_id == contact_id)
    contact = next(found, None)
    if contact is None:
        raise UnknownThingError("contact", contact_id)
    return contact


def changeable(db: Session, contact_id: str, *, now: datetime, actor: Actor) -> ContactRow:
    """Find somebody, forgotten or not, for who may change them.

    Raises:
        UnknownThingError: No such contact.
        NotAllowedError: The actor may not lay down rules for its unit.
    """
    row = db.get(ContactRow, contact_id)
    if row is None:
        raise UnknownThingError("contact", contact_id)
    demand_laying_down(actor, tree(db, today=local_day(now)).chain(row.unit_id))
    return row


def names(db: Session, contacts: Collection[str]) -> dict[str, str]:
    """Name some people, those too that are forgotten."""
    rows = select(ContactRow.contact_id, ContactRow.name)
    return dict(db.execute(rows.where(ContactRow.contact_id.in_(contacts))).all())


def channels_of(db: Session, contacts: Collection[str]) -> Sequence[AlertChannelRow]:
    """List the channels of some people, the oldest first."""
    kept = select(AlertChannelRow).where(
        AlertChannelRow.contact_id.in_(contacts), AlertChannelRow.gone_at.is_(None)
    )
    return db.scalars(kept.order_by(AlertChannelRow.created_at, AlertChannelRow.channel_id)).all()


def newest_tests(db: Session, channels: Sequence[str]) -> dict[str, AlertRow]:
    """Find the newest test of each channel."""
    tests = select(AlertRow).where(AlertRow.target.in_(channels), AlertRow.is_test)
    return {row.target: row for row in db.scalars(tests.order_by(AlertRow.alert_id))}


def wipe(db: Session, channel: AlertChannelRow, *, now: datetime) -> None:
    """Use a channel no more: its address is lost, and what waited for it is dropped."""
    channel.gone_at, channel.sealed_url = now, None
    unsent = select(AlertRow).where(
        AlertRow.channel_id == channel.channel_id, AlertRow.state.in_(UNSENT)
    )
    for row in db.scalars(unsent):
        row.state, row.next_try_at = AlertState.DROPPED.value, None


def add_contact(db: Session, new: NewContact, *, now: datetime, actor: Actor) -> ContactRow:
    """Enter somebody.

    Raises:
        NotAllowedError: The actor may not lay down rules for the unit.
        ContactRefusedError: With all that is wrong.
    """
    demand_laying_down(actor, tree(db, today=local_day(now)).chain(new.unit_id))
    findings = _wrong_contact(new)
    if findings:
        raise ContactRefusedError(findings)
    row = ContactRow(
        contact_id=f"p-{uuid.uuid4().hex[:16]}",
        unit_id=new.unit_id,
        name=new.name.strip(),
        phone=new.phone.strip(),
        language=new.language,
        created_at=now,
        created_by=actor.name,
    )
    db.add(row)
    facts = {"unit": row.unit_id, "name": row.name, "phone": row.phone}
    audit.record(db, actor=actor, action="add-contact", subject=row.contact_id, now=now, **facts)
    events.emit(db, kind="contact", ref=row.unit_id, now=now)
    return row


def forget_contact(db: Session, contact_id: str, *, now: datetime, actor: Actor) -> ContactRow:
    """Tell somebody nothing any more, and forget their channels' addresses. Twice is once.

    Raises:
        UnknownThingError: No such contact.
        NotAllowedError: The actor may not lay down rules for its unit.
    """
    row = changeable(db, contact_id, now=now, actor=actor)
    if row.gone_at is not None:
        return row
    row.gone_at = now
    for channel in channels_of(db, [contact_id]):
        wipe(db, channel, now=now)
    audit.record(db, actor=actor, action="forget-contact", subject=contact_id, now=now)
    events.emit(db, kind="contact", ref=row.unit_id, now=now)
    return row


def _wrong_contact(new: NewContact) -> list[Finding]:
    findings = []
    if not is_line(new.name):
        findings.append(Finding("bad-name", {"field": "name"}))
    phone = new.phone.strip()
    is_phone = len(phone) <= LONGEST_PHONE and not set(phone) - set("0123456789 +()-.")
    if not is_phone:
        findings.append(Finding("bad-phone", {"field": "phone"}))
    if new.language not in alert_words.LANGUAGES:
        findings.append(Finding("bad-language", {"field": "language", "language": new.language}))
    return findings


def _shown(db: Session, units: Sequence[str]) -> list[Contact]:
    rows = db.scalars(
        select(ContactRow)
        .where(ContactRow.unit_id.in_(units), ContactRow.gone_at.is_(None))
        .order_by(ContactRow.name, ContactRow.contact_id)
    ).all()
    channels = channels_of(db, [row.contact_id for row in rows])
    tests = newest_tests(db, [one.channel_id for one in channels])
    return [
        Contact(
            row.contact_id,
            row.unit_id,
            row.name,
            row.phone,
            row.language,
            row.login or "",
            tuple(
                Channel(one.channel_id, one.name, one.scheme, tests.get(one.channel_id))
                for one in channels
                if one.contact_id == row.contact_id
            ),
        )
        for row in rows
    ]
