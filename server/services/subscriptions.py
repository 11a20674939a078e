"""Secret addresses of calendars: calendar programs cannot log in.

An address is one person's for one unit; the database has only its hash, so it is shown once. Rights
are asked for anew at each reading, so it is worth nothing to who has lost them.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, demand
from server.domain.errors import NotAllowedError, UnknownThingError
from server.domain.recurrence import local_day
from server.services import audit
from server.services.accounts import actor_of
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import CalendarAddressRow, UserRow

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a secret address stands for."""

    unit_id: str
    actor: Actor


def made_at(db: Session, unit_id: str, *, actor: Actor) -> datetime | None:
    """Tell when somebody's address for a unit was made; None: there is none."""
    row = db.get(CalendarAddressRow, (_user(db, actor).id, unit_id))
    return row.created_at if row else None


def make_address(db: Session, unit_id: str, *, now: datetime, actor: Actor) -> str:
    """Make somebody's secret for a unit's calendar; one made before is worth nothing from now on.

    Raises:
        UnknownThingError: No such unit, or the actor is nobody who logs in.
        NotAllowedError: The actor may not see the unit.
    """
    demand(actor, Action.VIEW, tree(db, today=local_day(now)).chain(unit_id))
    user = _user(db, actor)
    pass_gate(db, f"calendar address {user.id} {unit_id}")
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    db.merge(
        CalendarAddressRow(
            user_id=user.id, unit_id=unit_id, secret_digest=_digest(secret), created_at=now
        )
    )
    audit.record(db, actor=actor, action="make-calendar-address", subject=unit_id, now=now)
    return secret


def revoke_address(db: Session, unit_id: str, *, now: datetime, actor: Actor) -> bool:
    """Let somebody's address for a unit be worth nothing any more; tell whether there was one."""
    gone = delete(CalendarAddressRow).where(
        CalendarAddressRow.user_id == _user(db, actor).id, CalendarAddressRow.unit_id == unit_id
    )
    if not db.scalars(gone.returning(CalendarAddressRow.unit_id)).all():
        return False
    audit.record(db, actor=actor, action="revoke-calendar-address", subject=unit_id, now=now)
    return True


def subscription(db: Session, secret: str, *, now: datetime) -> Subscription:
    """Find what a secret stands for.

    Raises:
        UnknownThingError: It stands for nothing, or for nothing that its owner may still see.
    """
    found = (
        select(CalendarAddressRow.unit_id, UserRow)
        .join(UserRow, UserRow.id == CalendarAddressRow.user_id)
        .where(CalendarAddressRow.secret_digest == _digest(secret), UserRow.active)
    )
    row = db.execute(found).one_or_none()
    if row is None:
        raise UnknownThingError("calendar", "")
    unit_id, user = row
    actor = actor_of(user)
    try:
        demand(actor, Action.VIEW, tree(db, today=local_day(now)).chain(unit_id))
    except NotAllowedError as error:
        raise UnknownThingError("calendar", "") from error
    return Subscription(unit_id, actor)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _user(db: Session, actor: Actor) -> UserRow:
    row = db.scalar(select(UserRow).where(UserRow.username == actor.name))
    if row is None:
        raise UnknownThingError("user", actor.name)
    return row
