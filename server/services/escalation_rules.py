"""The rules by which clusters count as not answering: what holds, laid down, withdrawn."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import BulletinClass
from server.domain.authority import Action, Actor, demand, demand_laying_down
from server.domain.errors import EscalationRefusedError, Finding, StaleError
from server.domain.escalation import DEFAULTS, Rule, Step, wrong_rule
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services import audit
from server.services.contacts import nameable
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import EscalationRuleRow

INHERITED = ""
"""The version of a rule that the unit has not laid down itself."""


@dataclass(frozen=True, slots=True)
class Held:
    """The rule that holds at a unit for one class.

    Attributes:
        unit_id: Who laid it down; None: nobody, it is the default.
        version: Tells whether the unit's own was changed since it was looked at.
    """

    bulletin_class: str
    rule: Rule
    unit_id: str | None
    version: str


def held_at(db: Session, unit_id: str, *, units: Tree) -> tuple[Held, ...]:
    """Tell the rule of each class that holds at a unit: its own, or the nearest above."""
    chain = units.chain(unit_id)
    rows = _rows(db, chain)
    return tuple(_held(rows, chain, each.value) for each in reversed(BulletinClass))


def listed(db: Session, unit_id: str, *, actor: Actor, now: datetime) -> tuple[Held, ...]:
    """Tell the rules that hold at a unit to somebody who may look.

    Raises:
        NotAllowedError: The actor may not see the unit.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.VIEW, units.chain(unit_id))
    return held_at(db, unit_id, units=units)


def rule_of(db: Session, unit_id: str, bulletin_class: str, *, units: Tree) -> Rule:
    """Find what a unit expects of its clusters for one class."""
    # A unit that has ended since has nobody above it any more, and what it sent may still last.
    chain = units.chain(unit_id) if unit_id in units.units else (unit_id,)
    return _held(_rows(db, chain), chain, bulletin_class).rule


def lay_down(
    db: Session,
    unit_id: str,
    bulletin_class: str,
    rule: Rule,
    *,
    version: str,
    now: datetime,
    actor: Actor,
) -> None:
    """Give a unit a rule of its own for one class; it holds at once, and under it too.

    Raises:
        NotAllowedError: The actor may not lay down rules for the unit.
        EscalationRefusedError: With all that is wrong with it.
        StaleError: Somebody else has changed it since ``version``.
    """
    before = _own(db, unit_id, bulletin_class, version=version, now=now, actor=actor)
    findings = wrong_rule(rule) or _wrong_contacts(db, unit_id, rule, now=now)
    if findings:
        raise EscalationRefusedError(findings)
    row = before or EscalationRuleRow(unit_id=unit_id, bulletin_class=bulletin_class)
    was = None if before is None else _facts(value_of(before))
    write(row, rule, now=now, by=actor.name)
    db.add(row)
    audit.record(
        db,
        actor=actor,
        action="lay-down-escalation",
        subject=unit_id,
        now=now,
        bulletin_class=bulletin_class,
        before=was,
        after=_facts(rule),
    )


def withdraw(
    db: Session, unit_id: str, bulletin_class: str, *, version: str, now: datetime, actor: Actor
) -> None:
    """Let a unit go by the rule above it again.

    Raises:
        NotAllowedError: The actor may not lay down rules for the unit.
        StaleError: Somebody else has changed it since ``version``.
    """
    row = _own(db, unit_id, bulletin_class, version=version, now=now, actor=actor)
    if row is None:
        return
    was = _facts(value_of(row))
    db.delete(row)
    audit.record(
        db,
        actor=actor,
        action="withdraw-escalation",
        subject=unit_id,
        now=now,
        bulletin_class=bulletin_class,
        before=was,
    )


def value_of(row: EscalationRuleRow) -> Rule:
    """Read a rule as it was laid down."""
    steps = tuple(Step(one["after_s"], tuple(one["contacts"])) for one in row.steps)
    return Rule(row.answer_s, row.start_s, steps)


def write(row: EscalationRuleRow, rule: Rule, *, now: datetime, by: str) -> None:
    """Write a rule down."""
    row.answer_s, row.start_s = rule.answer_s, rule.start_s
    row.steps = [{"after_s": one.after_s, "contacts": list(one.contacts)} for one in rule.steps]
    row.changed_at, row.changed_by = now, by


def version_of(rule: Rule) -> str:
    """Sum up what a rule says, so that it can be told later whether it still does."""
    return hashlib.sha256(repr(rule).encode()).hexdigest()[:16]


def _wrong_contacts(db: Session, unit_id: str, rule: Rule, *, now: datetime) -> list[Finding]:
    """Find steps that name somebody who is not to be had: forgotten, or of a unit elsewhere."""
    wanted = {contact for step in rule.steps for contact in step.contacts}
    if not wanted:
        return []
    known = {one.contact_id for one in nameable(db, unit_id, now=now)}
    return [
        Finding("unknown-contact", {"field": f"step_{number}"})
        for number, step in enumerate(rule.steps, 1)
        if not known.issuperset(step.contacts)
    ]


def _own(
    db: Session,
    unit_id: str,
    bulletin_class: str,
    *,
    version: str,
    now: datetime,
    actor: Actor,
) -> EscalationRuleRow | None:
    """Find a unit's own rule for somebody who may change it, as they have seen it."""
    demand_laying_down(actor, tree(db, today=local_day(now)).chain(unit_id))
    if bulletin_class not in DEFAULTS:
        raise EscalationRefusedError([Finding("bad-class")])
    # Of two who lay it down at once, the second is told.
    pass_gate(db, f"escalation {unit_id}")
    row = db.get(EscalationRuleRow, (unit_id, bulletin_class))
    if version != (INHERITED if row is None else version_of(value_of(row))):
        raise StaleError("escalation", f"{unit_id} {bulletin_class}")
    return row


def _rows(db: Session, chain: Iterable[str]) -> dict[tuple[str, str], EscalationRuleRow]:
    rows = select(EscalationRuleRow).where(EscalationRuleRow.unit_id.in_(tuple(chain)))
    return {(row.unit_id, row.bulletin_class): row for row in db.scalars(rows)}


def _held(
    rows: Mapping[tuple[str, str], EscalationRuleRow], chain: Sequence[str], bulletin_class: str
) -> Held:
    for unit_id in reversed(chain):
        row = rows.get((unit_id, bulletin_class))
        if row is not None:
            rule = value_of(row)
            own = unit_id == chain[-1]
            return Held(bulletin_class, rule, unit_id, version_of(rule) if own else INHERITED)
    return Held(bulletin_class, DEFAULTS[bulletin_class], None, INHERITED)


def _facts(rule: Rule) -> dict[str, object]:
    steps = [[step.after_s, *step.contacts] for step in rule.steps]
    return {"answer_s": rule.answer_s, "start_s": rule.start_s, "steps": steps}
