"""Live broadcasts: who may speak, going on air, the end, and the recording."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from audio_library.assets import Asset
from protocol.content import opening_s
from protocol.messages import AssetRef, LiveSource, Mode, Play
from protocol.signing import public_text, unverified
from server.domain.authority import Actor
from server.domain.errors import BroadcastRefusedError, Finding, TakenError, UnknownThingError
from server.domain.recurrence import local_day
from server.services import audit, broadcasting, catalogue, events, units
from server.services.accounts import actor_of
from server.services.assenting import NOTHING, Proof
from server.services.broadcast_requests import NewBroadcast
from server.services.drill_labels import drill_labels
from server.services.keyring import Keyring
from server.services.slot_values import asset_ref
from server.store.models import BroadcastRow, UserRow

MAX_LENGTH = timedelta(minutes=10)
"""Longest that somebody speaks in one broadcast; nodes keep it too."""

TICKET_LIFE = timedelta(minutes=15)
"""How long after the confirming page somebody may begin to speak."""

RECORDING = "live"
"""Purpose of the file in which a broadcast was recorded."""

_AFTERWARDS = timedelta(seconds=4)
"""In which nodes hear the last words and close; later nobody is told of the broadcast any more."""
_AUDIENCE = "microphone"
_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Somebody has confirmed what they are going to speak to, on a page, logged in."""

    new: NewBroadcast
    username: str
    proof: Proof


@dataclass(frozen=True, slots=True)
class OnAir:
    """A broadcast that nodes have been told of.

    Attributes:
        begins_at: What is captured from this instant on is heard right after the opening.
        speak_at: From then on somebody may speak: a drill says first what it is.
        delay: Every word is heard so long after it was spoken.
        labels: What a drill says of itself, before and after; spoken by the program that takes
            the microphone, for nodes cannot know when the last word is said.
    """

    broadcast_id: str
    begins_at: datetime
    speak_at: datetime
    delay: timedelta
    max_length: timedelta
    labels: tuple[AssetRef, AssetRef] | None


def ticket(
    new: NewBroadcast, *, actor: Actor, secret: str, now: datetime, proof: Proof = NOTHING
) -> str:
    """Write a ticket for one broadcast, which the program that takes microphones believes."""
    said = {
        "aud": _AUDIENCE,
        "sub": actor.name,
        "iat": int(now.timestamp()),
        "exp": int((now + TICKET_LIFE).timestamp()),
        "new": msgspec.to_builtins(new),
        "proof": msgspec.to_builtins(proof),
    }
    return jwt.encode(said, _key(secret), _ALGORITHM)


def read_ticket(text: str, *, secret: str, now: datetime) -> Ticket:
    """Read a ticket.

    Raises:
        BroadcastRefusedError: It is none of ours, or too old.
    """
    try:
        said: Mapping[str, Any] = jwt.decode(
            text,
            _key(secret),
            [_ALGORITHM],
            audience=_AUDIENCE,
            # Its time is held against ``now``, not against the clock of the library.
            options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False},
        )
        new = msgspec.convert(said["new"], NewBroadcast)
        proof = msgspec.convert(said["proof"], Proof)
        expires_s = float(said["exp"])
    except (jwt.InvalidTokenError, msgspec.ValidationError, KeyError, TypeError) as error:
        raise BroadcastRefusedError([Finding("bad-ticket")]) from error
    if now.timestamp() >= expires_s:
        raise BroadcastRefusedError([Finding("ticket-expired")])
    return Ticket(new, str(said["sub"]), proof)


def speaker(db: Session, username: str) -> Actor:
    """Find who holds a ticket, with what they are granted by now.

    Raises:
        UnknownThingError: Nobody of that name may log in any more.
    """
    user = db.scalar(select(UserRow).where(UserRow.username == username, UserRow.active))
    if user is None:
        raise UnknownThingError("user", username)
    return actor_of(user)


def go_on_air(
    db: Session,
    ticket: Ticket,
    *,
    public_key: Ed25519PublicKey,
    delay: timedelta,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    lead: timedelta = broadcasting.LEAD,
) -> OnAir:
    """Order nodes to listen to whoever holds the private half of a key made for this broadcast.

    Raises:
        NotAllowedError: The actor may not announce for the unit, in that class.
        BroadcastRefusedError: With every rule that it breaks; or somebody speaks, or has spoken,
            to this broadcast already.
    """
    labels = _labels(db, ticket.new, now=now)
    labelled_s = sum(label.duration_s for label in labels or ())
    source = LiveSource(
        public_key=public_text(public_key),
        delay_s=delay.total_seconds(),
        max_length_s=MAX_LENGTH.total_seconds() + labelled_s,
        label=labels[0] if labels else None,
    )
    try:
        row = broadcasting.announce(
            db,
            replace(ticket.new, live=source),
            now=now,
            actor=actor,
            keyring=keyring,
            lead=lead,
            proof=ticket.proof,
        )
    except TakenError as error:
        raise BroadcastRefusedError([Finding("already-spoken")]) from error
    order = unverified(row.token).msg
    if not isinstance(order, Play) or order.claim.content.live != source:
        raise BroadcastRefusedError([Finding("already-spoken")])
    first_heard = row.start + timedelta(seconds=opening_s(order.claim.content))
    begins_at = max(now, first_heard - delay)
    label_s = labels[0].duration_s if labels else 0.0
    speak_at = begins_at + timedelta(seconds=label_s)
    return OnAir(row.broadcast_id, begins_at, speak_at, delay, MAX_LENGTH, labels)


def is_stopped(db: Session, broadcast_id: str) -> bool:
    """Say whether a broadcast was stopped by order."""
    row = db.get(BroadcastRow, broadcast_id)
    return row is None or row.stopped_at is not None


def end(db: Session, broadcast_id: str, *, reason: str, delay: timedelta, now: datetime) -> None:
    """Note that nobody speaks any more. Twice is once.

    Args:
        db: The transaction.
        broadcast_id: Which broadcast.
        reason: ``spoken``, ``stopped``, ``too-long``, ``broken-off`` or ``server-ended``.
        delay: What is on its way is heard for so long.
        now: When.
    """
    row = db.get(BroadcastRow, broadcast_id, with_for_update=True)
    over = now + delay + _AFTERWARDS
    if row is None or row.end <= over:
        return
    row.end = over
    audit.record(
        db,
        actor=Actor(row.created_by, ()),
        action="end-live",
        subject=broadcast_id,
        now=now,
        reason=reason,
    )
    events.emit(db, kind="broadcast", ref=broadcast_id, now=now)


def keep_recording(db: Session, broadcast_id: str, *, asset: Asset, now: datetime) -> None:
    """Keep what was spoken with its broadcast.

    Raises:
        UnknownThingError: There is no such broadcast.
    """
    row = broadcasting.find(db, broadcast_id)
    new = catalogue.NewAsset(unit_id=row.unit_id, title=row.title, purpose=RECORDING)
    kept = catalogue.add_asset(db, new, asset=asset, now=now, actor=Actor.operator(row.created_by))
    row.asset_digest = kept.digest
    events.emit(db, kind="broadcast", ref=broadcast_id, now=now)


def _labels(db: Session, new: NewBroadcast, *, now: datetime) -> tuple[AssetRef, AssetRef] | None:
    """Find what a drill says of itself; where it is not made yet, announcing refuses it."""
    if new.mode != Mode.DRILL:
        return None
    places = units.tree(db, today=local_day(now))
    found = drill_labels(db, chain=places.chain(new.unit_id))
    return (asset_ref(found.before), asset_ref(found.after)) if found else None


def _key(secret: str) -> bytes:
    """Make a key of its own from the pages' secret: a cookie must never be a ticket."""
    return hashlib.sha256(f"ticket of a microphone {secret}".encode()).digest()
