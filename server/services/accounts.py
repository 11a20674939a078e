"""People who may log in, and what they were granted where."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.authority import EVERYWHERE, Action, Actor, Grant, Role, demand
from server.domain.errors import TakenError
from server.domain.recurrence import local_day
from server.services import audit
from server.services.units import tree
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
        NotAllowedError: The actor may not administer one of the units.
    """
    wanted = [Grant(Role(role), unit_id) for role, unit_id in grants]
    places = tree(db, today=local_day(now))
    for grant in wanted:
        demand(actor, Action.ADMINISTER, places.chain(grant.unit_id))
    if db.scalar(select(UserRow.id).where(UserRow.username == username)) is not None:
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


def actor_of(user: UserRow) -> Actor:
    """Give the actor that a logged-in person is."""
    granted = tuple(
        Grant(Role(grant.role), grant.unit_id)
        for grant in user.grants
        if grant.unit_id != EVERYWHERE
    )
    return Actor(user.username, granted)
