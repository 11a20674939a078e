"""People to be told when clusters do not answer, and the channels on which they are."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import alert_words
from server.domain.alerts import UNSENT, AlertState, is_address, scheme_of
from server.domain.authority import Action, Actor, demand, demand_laying_down
from server.domain.errors import ContactRefusedError, Finding, UnknownThingError
from server.domain.escalation import ALL_ANSWER_S
from server.domain.recurrence import local_day
from server.services import audit, events
from server.services.keyring import Keyring
from server.services.texts import is_line
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import AlertChannelRow, AlertRow, ContactRow

LONGEST_PHONE = 32
LONGEST_ADDRESS = 2000
MOST_CHANNELS = 5
TEST_AGAIN = timedelta(seconds=10)
"""A page is not to be a way of flooding somebody's telephone."""


@dataclass(frozen=True, slots=True)
class NewContact:
    """Somebody as they are entered."""

    unit_id: str
    name: str
    phone: str = ""
    language: str = "vi"


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel as it is entered; ``url`` is shown to nobody afterwards."""

    name: str
    url: str


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
        _forget(db, channel, now=now)
    audit.record(db, actor=actor, action="forget-contact", subject=contact_id, now=now)
    events.emit(db, kind="contact", ref=row.unit_id, now=now)
    return row


def add_channel(
    db: Session,
    contact_id: str,
    new: NewChannel,
    *,
    schemes: Sequence[str],
    now: datetime,
    actor: Actor,
    keyring: Keyring,
) -> AlertChannelRow:
    """Give somebody a channel; its address is sealed.

    Args:
        db: The transaction.
        contact_id: Whose it is.
        new: The channel.
        schemes: Services whose addresses may be used.
        now: When.
        actor: Who does it.
        keyring: What seals.

    Raises:
        UnknownThingError: No such contact, or they are forgotten.
        NotAllowedError: The actor may not lay down rules for its unit.
        ContactRefusedError: With all that is wrong.
    """
    contact = changeable(db, contact_id, now=now, actor=actor)
    if contact.gone_at is not None:
        raise UnknownThingError("contact", contact_id)
    pass_gate(db, f"contact {contact_id}")
    findings = _wrong_channel(new, schemes)
    if len(channels_of(db, [contact_id])) >= MOST_CHANNELS:
        findings.append(Finding("too-many-channels", {"most": str(MOST_CHANNELS)}))
    if findings:
        raise ContactRefusedError(findings)
    row = AlertChannelRow(
        channel_id=f"k-{uuid.uuid4().hex[:16]}",
        contact_id=contact_id,
        name=new.name.strip(),
        scheme=scheme_of(new.url.strip()),
        sealed_url=keyring.seal(new.url.strip().encode()),
        created_at=now,
    )
    db.add(row)
    audit.record(
        db,
        actor=actor,
        action="add-channel",
        subject=row.channel_id,
        now=now,
        contact=contact_id,
        name=row.name,
        scheme=row.scheme,
    )
    events.emit(db, kind="contact", ref=contact.unit_id, now=now)
    return row


def forget_channel(db: Session, channel_id: str, *, now: datetime, actor: Actor) -> ContactRow:
    """Use a channel no more; its address is wiped. Twice is once.

    Raises:
        UnknownThingError: No such channel.
        NotAllowedError: The actor may not lay down rules for its unit.
    """
    channel, contact = _own_channel(db, channel_id, now=now, actor=actor)
    if channel.gone_at is None:
        _forget(db, channel, now=now)
        audit.record(db, actor=actor, action="forget-channel", subject=channel_id, now=now)
        events.emit(db, kind="contact", ref=contact.unit_id, now=now)
    return contact


def test_channel(db: Session, channel_id: str, *, now: datetime, actor: Actor) -> AlertRow:
    """Send a test the way everything goes; its answer stands at the channel.

    Raises:
        UnknownThingError: No such channel, or it is forgotten.
        NotAllowedError: The actor may not lay down rules for its unit.
        ContactRefusedError: It was tested a moment ago.
    """
    channel, contact = _own_channel(db, channel_id, now=now, actor=actor)
    if channel.gone_at is not None:
        raise UnknownThingError("channel", channel_id)
    pass_gate(db, f"contact {contact.contact_id}")
    last = _tests(db, [channel_id]).get(channel_id)
    if last is not None and (last.state in UNSENT or last.created_at > now - TEST_AGAIN):
        raise ContactRefusedError([Finding("tested-just-now", {"channel": channel.name})])
    text = alert_words.of_test(language=contact.language, now=now)
    row = AlertRow(
        broadcast_id=None,
        after_s=ALL_ANSWER_S,
        target=channel_id,
        contact_id=contact.contact_id,
        channel_id=channel_id,
        subject=text.subject,
        body=text.body,
        created_at=now,
        state=AlertState.WAITING.value,
        next_try_at=now,
    )
    db.add(row)
    audit.record(db, actor=actor, action="test-channel", subject=channel_id, now=now)
    events.emit(db, kind="contact", ref=contact.unit_id, now=now)
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


def _wrong_channel(new: NewChannel, schemes: Sequence[str]) -> list[Finding]:
    findings = []
    if not is_line(new.name):
        findings.append(Finding("bad-name", {"field": "channel_name"}))
    url = new.url.strip()
    if len(url) > LONGEST_ADDRESS or not is_address(url, schemes):
        fields = {"field": "url", "schemes": ", ".join(sorted(schemes))}
        findings.append(Finding("bad-channel-address", fields))
    return findings


def _own_channel(
    db: Session, channel_id: str, *, now: datetime, actor: Actor
) -> tuple[AlertChannelRow, ContactRow]:
    row = db.get(AlertChannelRow, channel_id)
    if row is None:
        raise UnknownThingError("channel", channel_id)
    return row, changeable(db, row.contact_id, now=now, actor=actor)


def _forget(db: Session, channel: AlertChannelRow, *, now: datetime) -> None:
    channel.gone_at, channel.sealed_url = now, None
    unsent = select(AlertRow).where(
        AlertRow.channel_id == channel.channel_id, AlertRow.state.in_(UNSENT)
    )
    for row in db.scalars(unsent):
        row.state, row.next_try_at = AlertState.DROPPED.value, None


def _shown(db: Session, units: Sequence[str]) -> list[Contact]:
    rows = db.scalars(
        select(ContactRow)
        .where(ContactRow.unit_id.in_(units), ContactRow.gone_at.is_(None))
        .order_by(ContactRow.name, ContactRow.contact_id)
    ).all()
    channels = channels_of(db, [row.contact_id for row in rows])
    tests = _tests(db, [one.channel_id for one in channels])
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


def _tests(db: Session, channels: Sequence[str]) -> dict[str, AlertRow]:
    """Find the newest test of each channel."""
    tests = select(AlertRow).where(AlertRow.target.in_(channels), AlertRow.is_test)
    return {row.target: row for row in db.scalars(tests.order_by(AlertRow.alert_id))}
