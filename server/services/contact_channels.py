"""The channels on which people are told that clusters do not answer; their addresses are sealed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from server.domain import alert_words
from server.domain.alerts import UNSENT, AlertState, is_address, scheme_of
from server.domain.authority import Actor
from server.domain.errors import ContactRefusedError, Finding, UnknownThingError
from server.domain.escalation import ALL_ANSWER_S
from server.services import audit, events
from server.services.contacts import changeable, channels_of, newest_tests, wipe
from server.services.keyring import Keyring
from server.services.texts import is_line
from server.store.gates import pass_gate
from server.store.models import AlertChannelRow, AlertRow, ContactRow

LONGEST_ADDRESS = 2000
MOST_CHANNELS = 5
TEST_AGAIN = timedelta(seconds=10)
"""A page is not to be a way of flooding somebody's telephone."""


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel as it is entered; ``url`` is shown to nobody afterwards."""

    name: str
    url: str


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
        wipe(db, channel, now=now)
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
    last = newest_tests(db, [channel_id]).get(channel_id)
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
