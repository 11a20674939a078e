"""Clusters that do not answer: the rule that holds at a unit, and who is named by it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import BulletinClass
from server.domain.authority import Action, Actor, demand, demand_laying_down
from server.domain.errors import EscalationRefusedError, Finding, StaleError
from server.domain.escalation import DEFAULTS, Rule, Silence, Word, is_settled, silences, wrong_rule
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services import audit, events
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import BroadcastRow, DeliveryRow, EscalationRuleRow, UnansweredRow

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


@dataclass(frozen=True, slots=True)
class Open:
    """An announcement that lasts, and what is needed to judge its clusters."""

    broadcast_id: str
    unit_id: str
    bulletin_class: str
    sent_at: datetime
    start: datetime


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
    findings = wrong_rule(rule)
    if findings:
        raise EscalationRefusedError(findings)
    row = before or EscalationRuleRow(unit_id=unit_id, bulletin_class=bulletin_class)
    was = None if before is None else _facts(_value(before))
    row.answer_s, row.start_s = rule.answer_s, rule.start_s
    row.changed_at, row.changed_by = now, actor.name
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
    was = _facts(_value(row))
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


def name_unanswered(db: Session, *, now: datetime) -> int:
    """Name the clusters that do not answer in time, and note those that do by now.

    Returns:
        For how many announcements something has changed.
    """
    lasting = _lasting(db, now=now)
    if not lasting:
        return 0
    units = tree(db, today=local_day(now))
    words = words_of(db, lasting)
    named = _named(db, lasting)
    return sum(
        _note(
            db,
            one.broadcast_id,
            judged(db, one, words[one.broadcast_id], units=units, now=now),
            named[one.broadcast_id],
            now=now,
        )
        for one in lasting
    )


def judged(
    db: Session, one: Open, words: Iterable[Word], *, units: Tree, now: datetime
) -> dict[str, Silence]:
    """Name the clusters of an announcement that do not answer at ``now``."""
    rule = rule_of(db, one.unit_id, one.bulletin_class, units=units)
    return silences(words, rule, sent_at=one.sent_at, start=one.start, now=now)


def rule_of(db: Session, unit_id: str, bulletin_class: str, *, units: Tree) -> Rule:
    """Find what a unit expects of its clusters for one class."""
    # A unit that has ended since has nobody above it any more, and what it sent may still last.
    chain = units.chain(unit_id) if unit_id in units.units else (unit_id,)
    return _held(_rows(db, chain), chain, bulletin_class).rule


def words_of(db: Session, lasting: Sequence[Open]) -> dict[str, list[Word]]:
    """Read what the clusters of some announcements have said that are not settled yet."""
    rows = select(
        DeliveryRow.broadcast_id,
        DeliveryRow.cluster_id,
        DeliveryRow.state,
        DeliveryRow.received_at,
        DeliveryRow.started_at,
    ).where(
        DeliveryRow.broadcast_id.in_([one.broadcast_id for one in lasting]),
        DeliveryRow.started_at.is_(None),
    )
    found: dict[str, list[Word]] = {one.broadcast_id: [] for one in lasting}
    for broadcast_id, cluster_id, state, received_at, started_at in db.execute(rows):
        word = word_of(cluster_id, state, received_at, started_at)
        if not is_settled(word):
            found[broadcast_id].append(word)
    return found


def word_of(
    cluster_id: str, state: str, received_at: datetime | None, started_at: datetime | None
) -> Word:
    """Read what a delivery says."""
    return Word(
        cluster_id, state, has_received=received_at is not None, has_started=started_at is not None
    )


def unanswered(db: Session, broadcast_id: str) -> dict[str, UnansweredRow]:
    """Give the clusters that were named for an announcement, those too that have answered since."""
    rows = select(UnansweredRow).where(UnansweredRow.broadcast_id == broadcast_id)
    return {row.cluster_id: row for row in db.scalars(rows)}


def _lasting(db: Session, *, now: datetime) -> list[Open]:
    rows = select(
        BroadcastRow.broadcast_id,
        BroadcastRow.unit_id,
        BroadcastRow.bulletin_class,
        BroadcastRow.created_at,
        BroadcastRow.start,
    ).where(
        BroadcastRow.closed_at.is_(None),
        BroadcastRow.stopped_at.is_(None),
        BroadcastRow.end > now,
    )
    return [Open(*row) for row in db.execute(rows.order_by(BroadcastRow.created_at))]


def _named(db: Session, lasting: Sequence[Open]) -> dict[str, dict[str, UnansweredRow]]:
    found: dict[str, dict[str, UnansweredRow]] = {one.broadcast_id: {} for one in lasting}
    rows = select(UnansweredRow).where(UnansweredRow.broadcast_id.in_(found))
    for row in db.scalars(rows):
        found[row.broadcast_id][row.cluster_id] = row
    return found


def _note(
    db: Session,
    broadcast_id: str,
    silent: Mapping[str, Silence],
    named: Mapping[str, UnansweredRow],
    *,
    now: datetime,
) -> bool:
    """Bring what is on record in line with who is silent; say whether it was not."""
    changed = False
    for cluster_id, why in silent.items():
        row = named.get(cluster_id)
        if row is None:
            db.add(
                UnansweredRow(
                    broadcast_id=broadcast_id, cluster_id=cluster_id, why=why.value, since=now
                )
            )
        elif row.answered_at is not None or row.why != why:
            row.answered_at, row.why = None, why.value
        else:
            continue
        changed = True
    for cluster_id, row in named.items():
        if cluster_id not in silent and row.answered_at is None:
            row.answered_at = now
            changed = True
    if changed:
        events.emit(db, kind="broadcast", ref=broadcast_id, now=now)
    return changed


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
    if version != (INHERITED if row is None else version_of(_value(row))):
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
            rule = _value(row)
            own = unit_id == chain[-1]
            return Held(bulletin_class, rule, unit_id, version_of(rule) if own else INHERITED)
    return Held(bulletin_class, DEFAULTS[bulletin_class], None, INHERITED)


def _value(row: EscalationRuleRow) -> Rule:
    return Rule(answer_s=row.answer_s, start_s=row.start_s)


def version_of(rule: Rule) -> str:
    """Sum up what a rule says, so that it can be told later whether it still does."""
    return hashlib.sha256(repr(rule).encode()).hexdigest()[:16]


def _facts(rule: Rule) -> dict[str, object]:
    return {"answer_s": rule.answer_s, "start_s": rule.start_s}
