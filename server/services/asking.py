"""Ask people to confirm what waits for them: whose account is whose, and what they are told."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import alert_words
from server.domain.alert_words import Plea, Text
from server.domain.authority import Action, Actor
from server.domain.errors import ContactRefusedError, Finding, UnknownThingError
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services import audit, events, raising
from server.services.assenting import others_who_may
from server.services.contacts import changeable
from server.services.raising import About
from server.services.units import tree
from server.store.models import ContactRow, WaitingRow
from server.store.queries import lists

NOBODY = Actor("", ())


def accounts_at(db: Session, unit_id: str, *, now: datetime) -> tuple[str, ...]:
    """Name the accounts that a unit's contacts may have: those that may announce there."""
    chain = tree(db, today=local_day(now)).chain(unit_id)
    return others_who_may(db, Action.ANNOUNCE, chain, actor=NOBODY)


def name_account(
    db: Session, contact_id: str, login: str, *, now: datetime, actor: Actor
) -> ContactRow:
    """Say which account somebody has, or none: what waits for it is told to them.

    Raises:
        UnknownThingError: No such contact, or they are forgotten.
        NotAllowedError: The actor may not lay down rules for its unit.
        ContactRefusedError: It may not announce at their unit.
    """
    row = changeable(db, contact_id, now=now, actor=actor)
    if row.gone_at is not None:
        raise UnknownThingError("contact", contact_id)
    if login and login not in accounts_at(db, row.unit_id, now=now):
        raise ContactRefusedError([Finding("account-may-not", {"field": "login", "login": login})])
    before, row.login = row.login, login or None
    if before != row.login:
        facts = {"before": before, "after": row.login}
        audit.record(db, actor=actor, action="name-account", subject=contact_id, now=now, **facts)
        events.emit(db, kind="contact", ref=row.unit_id, now=now)
    return row


def ask_to_confirm(
    db: Session,
    row: WaitingRow,
    plea_title: str,
    *,
    others: Collection[str],
    places: Tree,
    site: str,
    now: datetime,
) -> None:
    """Tell all who may confirm what waits, on all their channels.

    Only contacts of units that stand above all it reaches: a commune's own list must not have told
    what waits for other communes.

    Args:
        db: The transaction in which it came to wait, so that everybody is told once.
        row: What waits.
        plea_title: Its title as it would be announced.
        others: The accounts that may confirm it.
        places: The tree of today.
        site: Address of the pages.
        now: When.
    """
    chain = places.chain(row.cover_id)
    contacts = select(ContactRow).where(
        ContactRow.login.in_(others),
        ContactRow.unit_id.in_(chain),
        ContactRow.gone_at.is_(None),
    )
    plea = Plea(
        title=plea_title,
        unit_name=places.unit(row.unit_id).name,
        by=lists.full_names(db, [row.asked_by])[row.asked_by],
        clusters=row.clusters,
        ends_at=row.ends_at,
        address=f"{site}/broadcasts/{row.broadcast_id}",
    )

    def text(language: str) -> Text:
        return alert_words.of_plea(plea, language=language)

    people = db.scalars(contacts.order_by(ContactRow.contact_id)).all()
    about = About(waiting_id=row.broadcast_id)
    raising.tell(db, people, text, about=lambda _one: about, now=now)
