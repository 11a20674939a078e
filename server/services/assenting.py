"""The rule who has to assent to an announcement: what it says, and what it asks for now."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import BulletinClass
from server.domain.assent import (
    Line,
    Missing,
    Needs,
    Radius,
    Sender,
    default_lines,
    missing,
    needs,
    wrong_lines,
)
from server.domain.authority import Action, Actor, demand, may
from server.domain.errors import (
    Finding,
    NotAllowedError,
    RuleRefusedError,
    SecondFactorNeededError,
    SecondPersonNeededError,
    StaleError,
    WaitingRefusedError,
)
from server.domain.recurrence import local_day
from server.domain.targeting import narrowest
from server.domain.units import Tree
from server.domain.zone import LOCAL
from server.services import audit
from server.services.accounts import actor_of
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import AssentRuleRow, GrantRow, UserRow


@dataclass(frozen=True, slots=True)
class Assent:
    """Somebody else has confirmed an announcement.

    Attributes:
        broadcast_id: Under which it waited; empty: it did not wait under any.
    """

    by: str
    broadcast_id: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What goes with an announcement to show that it is meant by whoever may.

    Attributes:
        has_factor: The sender has set up a second factor.
        is_fresh: They have proven it a short time ago.
        prefers_other: They would rather have somebody else confirm.
        assent: Somebody else has.
    """

    has_factor: bool = False
    is_fresh: bool = False
    prefers_other: bool = False
    assent: Assent | None = None


NOTHING = Proof()


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of a province, its own or the product's.

    Attributes:
        version: Of what was laid down; 0: nothing was.
    """

    unit_id: str
    lines: tuple[Line, ...]
    version: int = 0
    changed_at: datetime | None = None
    changed_by: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one announcement takes now.

    Attributes:
        cover_id: Narrowest unit that covers all it reaches.
        others: Names of people besides the sender who may announce there.
    """

    needs: Needs
    cover_id: str
    clusters: int
    others: tuple[str, ...]


def action_of(bulletin_class: str) -> Action:
    """Tell what somebody does who announces in a class."""
    is_emergency = bulletin_class == BulletinClass.EMERGENCY
    return Action.ANNOUNCE_EMERGENCY if is_emergency else Action.ANNOUNCE


def rule_of(db: Session, places: Tree, unit_id: str) -> Rule:
    """Find the rule that binds a unit: that of the unit at the top."""
    top = places.chain(unit_id)[0]
    row = db.get(AssentRuleRow, top)
    if row is None:
        return Rule(top, default_lines(ranks(places)))
    lines = msgspec.convert(row.lines["lines"], tuple[Line, ...])
    return Rule(top, lines, row.version, row.changed_at, row.changed_by)


def ranks(places: Tree) -> frozenset[int]:
    """Collect the levels at which there are units."""
    return frozenset(unit.level_rank for unit in places.units.values())


def lay_down(
    db: Session,
    unit_id: str,
    lines: Sequence[Line],
    *,
    version: int,
    now: datetime,
    actor: Actor,
) -> AssentRuleRow:
    """Lay down the rule of a province, from what stood there as ``version``.

    Raises:
        UnknownThingError: No such unit.
        NotAllowedError: The actor may not administer it, or it stands under another.
        RuleRefusedError: With everything that is wrong with the lines.
        StaleError: Somebody else was quicker.
    """
    places = tree(db, today=local_day(now))
    chain = places.chain(unit_id)
    demand(actor, Action.ADMINISTER, chain)
    if len(chain) > 1:
        raise NotAllowedError("lay-down-assent", unit_id)
    if findings := wrong_lines(lines, ranks(places)):
        raise RuleRefusedError(findings)
    pass_gate(db, f"assent rule of {unit_id}")
    row = db.get(AssentRuleRow, unit_id, with_for_update=True)
    if version != (row.version if row else 0):
        raise StaleError("assent-rule", unit_id)
    before = row.lines if row else {}
    if row is None:
        row = AssentRuleRow(unit_id=unit_id)
        db.add(row)
    row.lines = {"lines": [msgspec.to_builtins(line) for line in lines]}
    row.version, row.changed_at, row.changed_by = version + 1, now, actor.name
    audit.record(
        db,
        actor=actor,
        action="lay-down-assent",
        subject=unit_id,
        now=now,
        before=before,
        after=row.lines,
    )
    return row


def asked(
    db: Session,
    places: Tree,
    meant: Collection[str],
    *,
    bulletin_class: str,
    now: datetime,
    actor: Actor,
) -> Asked:
    """Tell what an announcement to some clusters takes now."""
    cover_id = narrowest(places, meant)
    radius = Radius(
        bulletin_class=bulletin_class,
        level=places.unit(cover_id).level_rank,
        clusters=len(meant),
        local_hour=now.astimezone(LOCAL).hour,
    )
    wanted = needs(rule_of(db, places, cover_id).lines, radius)
    others: tuple[str, ...] = ()
    if wanted != Needs():
        others = others_who_may(db, action_of(bulletin_class), places.chain(cover_id), actor=actor)
    return Asked(wanted, cover_id, len(meant), others)


def demand_assent(found: Asked, proof: Proof) -> None:
    """Go on only when an announcement has all the assent that it takes.

    Raises:
        SecondFactorNeededError: The sender has to prove who they are once more.
        SecondPersonNeededError: Somebody else has to confirm.
    """
    lacking = lacks(found, proof)
    if lacking is Missing.FACTOR:
        raise SecondFactorNeededError([Finding(lacking.value)])
    if lacking is Missing.PERSON:
        raise SecondPersonNeededError([Finding(lacking.value)])


def lacks(found: Asked, proof: Proof) -> Missing | None:
    """Tell what is missing of what an announcement takes."""
    if proof.assent is not None:
        return None
    sender = Sender(
        has_factor=proof.has_factor,
        is_fresh=proof.is_fresh,
        has_others=bool(found.others),
        prefers_other=proof.prefers_other,
    )
    return missing(found.needs, sender)


def vouched(
    places: Tree, meant: Collection[str], *, bulletin_class: str, second: Actor, actor: Actor
) -> Assent:
    """Take the word of somebody who stands beside the sender, where nothing can wait.

    Raises:
        NotAllowedError: They may not announce to all that it reaches.
        WaitingRefusedError: They are the sender.
    """
    demand(second, action_of(bulletin_class), places.chain(narrowest(places, meant)))
    if second.name == actor.name:
        raise WaitingRefusedError([Finding("own-confirmation")])
    return Assent(second.name)


def others_who_may(
    db: Session, action: Action, chain: Sequence[str], *, actor: Actor
) -> tuple[str, ...]:
    """Name everybody but the actor who may do this at the last unit of a chain."""
    people = (
        select(UserRow)
        .where(UserRow.active, UserRow.username != actor.name)
        .where(UserRow.grants.any(GrantRow.unit_id.in_(chain)))
        .order_by(UserRow.username)
    )
    return tuple(row.username for row in db.scalars(people) if may(actor_of(row), action, chain))
