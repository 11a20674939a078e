"""Give units their next keys long before the present ones end, so that nobody falls silent.

A node believes a key when it holds its certificate, which plans and configurations carry. So the
next key is there a while before it signs anything: by then every node has heard of it that has been
on the network at all.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.domain.authority import Actor
from server.domain.recurrence import local_day
from server.services import audit
from server.services.keyring import Keyring
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import UnitKeyRow

RENEWED_BEFORE = timedelta(days=120)
"""So long before its units' last key ends the next one is made."""

KNOWN_BEFORE = timedelta(days=60)
"""So long before it signs anything its certificate travels."""


def ending(db: Session, *, now: datetime) -> Mapping[str, datetime]:
    """Name the units of today whose last key is about to end, or has ended, and when it does."""
    last = (
        select(UnitKeyRow.unit_id, func.max(UnitKeyRow.valid_to))
        .where(UnitKeyRow.revoked_at.is_(None))
        .group_by(UnitKeyRow.unit_id)
    )
    there = tree(db, today=local_day(now)).units
    return {
        unit_id: ends
        for unit_id, ends in db.execute(last)
        if ends <= now + RENEWED_BEFORE and unit_id in there
    }


def renew_keys(db: Session, *, now: datetime, keyring: Keyring, actor: Actor) -> int:
    """Make the next key of each unit whose last one is about to end; say how many. Twice is once.

    Raises:
        KeyMissingError: There are such units, and the root key is not on this machine.
    """
    pass_gate(db, "keys")
    places = tree(db, today=local_day(now))
    due = ending(db, now=now)
    if not due:
        return 0
    configuring = set(db.scalars(select(UnitKeyRow.unit_id).where(UnitKeyRow.configures)))
    for unit_id, ends in sorted(due.items()):
        row = keyring.issue(
            db,
            unit_id=unit_id,
            level=places.unit(unit_id).level_rank,
            configures=unit_id in configuring,
            now=now,
            signs_from=max(now, min(ends, now + KNOWN_BEFORE)),
        )
        audit.record(db, actor=actor, action="renew-key", subject=unit_id, now=now, key=row.key_id)
    return len(due)
