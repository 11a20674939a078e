"""People who may log in, and what they were granted where."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.domain.authority import EVERYWHERE, Action, Actor, Grant, Role, demand
from server.domain.errors import TakenError, UnknownThingError
from server.domain.recurrence import local_day
from server.services import audit
from server.services.passwords import is_password
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import GrantRow, UserRow


def create_user(
    db: Session,
    *,
    username: str,
    password_hash: str,
    full_name: str,
    grants: Iterable[tuple[str, str]],
    now: datetime,
    actor: Actor,
) -> UserRow:
    """Add somebody with grants of role and unit; whoever grants must administer each unit.

    Raises:
        TakenError: The user name is somebody's.
        UnknownThingError: No such role, or unit.
        NotAllowedError: The actor may not administer one of the units.
    """
    wanted = [Grant(_role(role), unit_id) for role, unit_id in grants]
    places = tree(db, today=local_day(now))
    # Whoever is granted nothing belongs nowhere: only who administers everything may add them.
    chains = [places.chain(grant.unit_id) for grant in wanted] or [()]
    for chain in chains:
        demand(actor, Action.ADMINISTER, chain)
    pass_gate(db, f"user {username.lower()}")
    # Whoever logs in may write it as they like.
    known = select(UserRow.id).where(func.lower(UserRow.username) == username.lower())
    if db.scalar(known) is not None:
        raise TakenError("user", username)
    row = UserRow(
        username=username,
        password=password_hash,
        full_name=full_name,
        fs_uniquifier=uuid.uuid4().hex,
        created_at=now,
        grants=[GrantRow(role=grant.role.value, unit_id=grant.unit_id) for grant in wanted],
    )
    db.add(row)
    audit.record(
        db,
        actor=actor,
        action="create-user",
        subject=username,
        now=now,
        grants=[f"{grant.role.value}@{grant.unit_id}" for grant in wanted],
    )
    return row


def find_login(db: Session, username: str) -> UserRow | None:
    """Find somebody who may log in."""
    return db.scalar(select(UserRow).where(UserRow.username == username, UserRow.active))


def authenticated(db: Session, username: str, password: str) -> UserRow | None:
    """Find whoever may log in with a user name, however it is written, and a password."""
    known = select(UserRow).where(func.lower(UserRow.username) == username.strip().lower())
    row = db.scalar(known.where(UserRow.active))
    if row is None or not row.password or not is_password(password, row.password):
        return None
    return row


def actor_of(user: UserRow) -> Actor:
    """Give the actor that a logged-in person is."""
    granted = tuple(
        Grant(Role(grant.role), grant.unit_id)
        for grant in user.grants
        if grant.unit_id != EVERYWHERE
    )
    return Actor(user.username, granted)


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise UnknownThingError("role", name) from None
