"""Who is told of silent clusters, and when: what becomes of it where units end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.domain.escalation import Rule, together
from server.domain.reforms import Drawing
from server.services.escalation_rules import value_of, write
from server.store.models import ContactRow, EscalationRuleRow
from server.store.queries.among import among


@dataclass(frozen=True, slots=True)
class ContactFate:
    """Somebody whom a unit that ends has entered, and whose they are afterwards."""

    contact_id: str
    name: str
    unit_id: str
    to: str


@dataclass(frozen=True, slots=True)
class RuleFate:
    """A rule of a unit that ends for one class; ``to`` is empty where others hold afterwards."""

    bulletin_class: str
    unit_id: str
    to: tuple[str, ...]


def contact_fates(db: Session, drawing: Drawing, under: str) -> Iterable[ContactFate]:
    """Give people to the one unit that takes over, else to the unit above: all may name them."""
    rows = (
        select(ContactRow)
        .where(among(ContactRow.unit_id, drawing.ended), ContactRow.gone_at.is_(None))
        .order_by(ContactRow.unit_id, ContactRow.name, ContactRow.contact_id)
    )
    for row in db.scalars(rows):
        takers = drawing.takers(row.unit_id)
        to = takers[0] if len(takers) == 1 else under
        yield ContactFate(row.contact_id, row.name, row.unit_id, to)


def rule_fates(db: Session, drawing: Drawing) -> Iterable[RuleFate]:
    """Pass rules to new units and to who takes over alone, unless they have one of their own.

    A unit that lives on and takes some villages goes on by what held there.
    """
    takers = {unit: drawing.takers(unit) for unit in drawing.ended}
    concerned = {*drawing.ended, *(one for each in takers.values() for one in each)}
    rows = select(EscalationRuleRow).where(among(EscalationRuleRow.unit_id, concerned))
    known = {(row.unit_id, row.bulletin_class) for row in db.scalars(rows)}
    born = {new.unit_id for new in drawing.born}
    for unit_id, bulletin_class in sorted(known):
        if unit_id not in takers:
            continue
        wanted = takers[unit_id] if len(takers[unit_id]) == 1 else born & {*takers[unit_id]}
        to = [one for one in sorted(wanted) if (one, bulletin_class) not in known]
        yield RuleFate(bulletin_class, unit_id, tuple(to))


def pass_on_contacts(
    db: Session, people: Iterable[ContactFate], rules: Iterable[RuleFate], *, now: datetime
) -> None:
    """Pass on people, and rules; of several that come together in one unit one is made.

    What ended units have laid down stays with them: what they sent may still last.
    """
    for one in people:
        moved = update(ContactRow).where(ContactRow.contact_id == one.contact_id)
        db.execute(moved.values(unit_id=one.to))
    passed: dict[tuple[str, str], list[tuple[Rule, str]]] = {}
    for fate in rules:
        row = db.get_one(EscalationRuleRow, (fate.unit_id, fate.bulletin_class))
        for taker in fate.to:
            known = passed.setdefault((taker, fate.bulletin_class), [])
            known.append((value_of(row), row.changed_by))
    for (taker, bulletin_class), found in passed.items():
        row = EscalationRuleRow(unit_id=taker, bulletin_class=bulletin_class)
        write(row, together([rule for rule, _by in found]), now=now, by=found[0][1])
        db.add(row)
