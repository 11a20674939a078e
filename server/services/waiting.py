"""Announcements that need a second person: asked for by one, confirmed or refused by another.

What is not confirmed in time is never heard: it has to be asked for anew.
"""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from server.domain.assent import ASKED_FOR
from server.domain.authority import Action, Actor, demand, may
from server.domain.errors import (
    Finding,
    SecondPersonNeededError,
    TakenError,
    UnknownThingError,
    WaitingRefusedError,
)
from server.domain.recurrence import local_day
from server.domain.targeting import narrowest
from server.domain.units import Tree
from server.domain.waiting import LEFT_AT_MOST, State, decision_findings, state_at
from server.services import (
    accounts,
    audit,
    broadcast_claims,
    broadcasting,
    events,
)
from server.services.asking import ask_to_confirm
from server.services.assenting import NOTHING, Assent, Proof, action_of, asked
from server.services.broadcast_requests import NewBroadcast, meant_by
from server.services.broadcasting import LEAD
from server.services.drill_labels import marked
from server.services.keyring import Keyring
from server.services.texts import is_line
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import BroadcastRow, WaitingRow

SYSTEM = Actor("scheduler", ())
"""In whose name is noted what nobody did."""


def order(
    db: Session,
    new: NewBroadcast,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    site: str,
    lead: timedelta = LEAD,
    proof: Proof = NOTHING,
) -> BroadcastRow | WaitingRow:
    """Announce at once, or let it wait for a second person where one is all that is missing.

    Who may confirm it is told at once, with a link to the pages at ``site``.

    The same request again is the same announcement, wherever it stands by now.

    Raises:
        NotAllowedError: The actor may not announce for the unit, in that class.
        TakenError: The request's id is that of another announcement.
        BroadcastRefusedError: With every rule that it breaks.
        SecondFactorNeededError: The sender has to prove who they are once more.
        SecondPersonNeededError: It cannot wait: what is spoken live is not there yet.
    """
    places = tree(db, today=local_day(now))
    demand(actor, action_of(new.bulletin_class), places.chain(new.unit_id))
    pass_gate(db, f"request {new.request_id}")
    known = db.scalar(select(WaitingRow).where(WaitingRow.request_id == new.request_id))
    if known is not None:
        if wanted_of(known) != new:
            raise TakenError("request", new.request_id)
        if known.state == State.CONFIRMED:
            return broadcasting.find(db, known.broadcast_id)
        return known
    try:
        return broadcasting.announce(
            db, new, now=now, actor=actor, keyring=keyring, lead=lead, proof=proof
        )
    except SecondPersonNeededError:
        if new.live is not None:
            raise
        return _wait(db, new, places, now=now, actor=actor, site=site)


def confirm(
    db: Session,
    broadcast_id: str,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    lead: timedelta = LEAD,
) -> BroadcastRow:
    """Announce what somebody else has asked for. Twice is once.

    Raises:
        UnknownThingError: Nothing waits, or has waited, under that id.
        NotAllowedError: The actor may not announce to what it reaches, which may be more by now.
        WaitingRefusedError: The actor asked for it, it waits no more, or its author may no longer.
        BroadcastRefusedError: With every rule that it has come to break.
    """
    row = _locked(db, broadcast_id, now=now, actor=actor)
    if row.state == State.CONFIRMED:
        return broadcasting.find(db, broadcast_id)
    _demand_waiting(row, now=now, actor=actor)
    wanted, places = wanted_of(row), tree(db, today=local_day(now))
    action = action_of(wanted.bulletin_class)
    if meant := meant_by(places, wanted):
        demand(actor, action, places.chain(narrowest(places, meant)))
    author = accounts.find_login(db, row.asked_by)
    # Whoever was shut out meanwhile announces nothing any more.
    sender = accounts.actor_of(author) if author else Actor(row.asked_by, ())
    if not may(sender, action, places.chain(wanted.unit_id)):
        raise WaitingRefusedError([Finding("author-may-not")])
    announced = broadcasting.announce(
        db,
        wanted,
        now=now,
        actor=sender,
        keyring=keyring,
        lead=lead,
        proof=Proof(assent=Assent(actor.name, row.broadcast_id)),
    )
    _decide(db, row, State.CONFIRMED, now=now, actor=actor)
    return announced


def refuse(
    db: Session, broadcast_id: str, reason: str, *, now: datetime, actor: Actor
) -> WaitingRow:
    """Refuse what somebody else has asked for, and say why. Twice is once.

    Raises:
        UnknownThingError: Nothing waits, or has waited, under that id.
        NotAllowedError: The actor may not announce to what it reaches.
        WaitingRefusedError: The actor asked for it, it waits no more, or no reason is given.
    """
    row = _locked(db, broadcast_id, now=now, actor=actor)
    if row.state == State.REFUSED and row.decided_by == actor.name:
        return row
    _demand_waiting(row, now=now, actor=actor)
    if not is_line(reason):
        raise WaitingRefusedError([Finding("reason-needed")])
    row.reason = reason.strip()
    _decide(db, row, State.REFUSED, now=now, actor=actor, reason=row.reason)
    return row


def stop(
    db: Session, broadcast_id: str, *, now: datetime, actor: Actor, keyring: Keyring
) -> BroadcastRow | WaitingRow:
    """Stop an announcement wherever it stands: what still waits is never announced.

    Raises:
        UnknownThingError: There is none of that id.
        NotAllowedError: The actor may not stop the unit's announcements.
    """
    row = db.get(WaitingRow, broadcast_id, with_for_update=True)
    if row is None or row.state == State.CONFIRMED:
        return broadcasting.stop(db, broadcast_id, now=now, actor=actor, keyring=keyring)
    return withdraw(db, broadcast_id, now=now, actor=actor)


def withdraw(db: Session, broadcast_id: str, *, now: datetime, actor: Actor) -> WaitingRow:
    """Take back what still waits: its author, or whoever may stop it. Twice is once.

    Raises:
        UnknownThingError: Nothing waits, or has waited, under that id.
        NotAllowedError: The actor may not stop the unit's announcements.
        WaitingRefusedError: It has been confirmed: it is stopped, not withdrawn.
    """
    row = db.get(WaitingRow, broadcast_id, with_for_update=True)
    if row is None:
        raise UnknownThingError("broadcast", broadcast_id)
    if row.asked_by != actor.name:
        demand(actor, Action.STOP, tree(db, today=local_day(now)).chain(row.unit_id))
    if row.state == State.CONFIRMED:
        raise WaitingRefusedError([Finding("waiting-confirmed")])
    if state_at(row.state, row.ends_at, now) is State.WAITING:
        _decide(db, row, State.WITHDRAWN, now=now, actor=actor)
    return row


def lapse(db: Session, *, now: datetime) -> int:
    """Note what nobody has confirmed in time; say how many."""
    over = (
        select(WaitingRow)
        .where(WaitingRow.state == State.WAITING, ~_is_meant(now))
        .with_for_update(skip_locked=True)
    )
    rows = db.scalars(over).all()
    for row in rows:
        _decide(db, row, State.LAPSED, now=now, actor=SYSTEM)
    return len(rows)


def taken(db: Session, request_id: str, *, actor: Actor) -> str | None:
    """Find the announcement, on air or waiting, that came of a request of the actor's."""
    waited = select(WaitingRow.broadcast_id).where(
        WaitingRow.request_id == request_id, WaitingRow.asked_by == actor.name
    )
    sent = select(BroadcastRow.broadcast_id).where(
        BroadcastRow.request_id == request_id, BroadcastRow.created_by == actor.name
    )
    return db.scalar(waited) or db.scalar(sent)


def find(db: Session, broadcast_id: str) -> WaitingRow | None:
    """Find what waits or has waited under an id."""
    return db.get(WaitingRow, broadcast_id)


def open_ones(db: Session, *, now: datetime) -> list[WaitingRow]:
    """List all that waits, what ends first leading."""
    rows = select(WaitingRow).where(WaitingRow.state == State.WAITING, _is_meant(now))
    return list(db.scalars(rows.order_by(WaitingRow.ends_at, WaitingRow.broadcast_id)))


def recent(db: Session, *, since: datetime, now: datetime) -> list[WaitingRow]:
    """List what has waited in vain since then, newest first."""
    rows = (
        select(WaitingRow)
        .where(WaitingRow.asked_at >= since, WaitingRow.state != State.CONFIRMED)
        .order_by(WaitingRow.asked_at.desc())
    )
    found = db.scalars(rows)
    return [row for row in found if state_at(row.state, row.ends_at, now) is not State.WAITING]


def may_see(row: WaitingRow, places: Tree, actor: Actor) -> bool:
    """Say whether somebody may see what waits: its author, who may confirm, who sees the unit."""
    if row.asked_by == actor.name or may_confirm(row, places, actor):
        return True
    return row.unit_id in places.units and may(actor, Action.VIEW, places.chain(row.unit_id))


def may_confirm(row: WaitingRow, places: Tree, actor: Actor) -> bool:
    """Say whether somebody has the right to be the second person."""
    if row.asked_by == actor.name or row.cover_id not in places.units:
        return False
    wanted = wanted_of(row)
    return may(actor, action_of(wanted.bulletin_class), places.chain(row.cover_id))


def wanted_of(row: WaitingRow) -> NewBroadcast:
    """Read what was asked for."""
    return msgspec.convert(row.wanted, NewBroadcast)


def _is_meant(now: datetime) -> ColumnElement[bool]:
    """Ask as ``state_at`` does whether the time of what waits is not over."""
    return (WaitingRow.ends_at > now) & (WaitingRow.ends_at <= now + LEFT_AT_MOST)


def _wait(
    db: Session, new: NewBroadcast, places: Tree, *, now: datetime, actor: Actor, site: str
) -> WaitingRow:
    found = asked(
        db,
        places,
        meant_by(places, new),
        bulletin_class=new.bulletin_class,
        now=now,
        actor=actor,
    )
    row = WaitingRow(
        broadcast_id=broadcast_claims.new_id(),
        request_id=new.request_id,
        unit_id=new.unit_id,
        cover_id=found.cover_id,
        wanted=msgspec.to_builtins(new),
        clusters=found.clusters,
        asked_at=now,
        asked_by=actor.name,
        ends_at=now + ASKED_FOR,
        state=State.WAITING.value,
        reason="",
    )
    db.add(row)
    db.flush()  # what people are told refers to it
    title = marked(new.title.strip(), mode=new.mode)
    ask_to_confirm(db, row, title, others=found.others, places=places, site=site, now=now)
    _note(db, row, "ask-broadcast", now=now, actor=actor, clusters=row.clusters)
    return row


def _locked(db: Session, broadcast_id: str, *, now: datetime, actor: Actor) -> WaitingRow:
    # Locked: of two who decide at once, one does.
    row = db.get(WaitingRow, broadcast_id, with_for_update=True)
    if row is None:
        raise UnknownThingError("broadcast", broadcast_id)
    action = action_of(wanted_of(row).bulletin_class)
    demand(actor, action, tree(db, today=local_day(now)).chain(row.cover_id))
    return row


def _demand_waiting(row: WaitingRow, *, now: datetime, actor: Actor) -> None:
    state = state_at(row.state, row.ends_at, now)
    if findings := decision_findings(state, asked_by=row.asked_by, actor=actor.name):
        raise WaitingRefusedError(findings)


def _decide(
    db: Session, row: WaitingRow, state: State, *, now: datetime, actor: Actor, **detail: object
) -> None:
    row.state, row.decided_at, row.decided_by = state.value, now, actor.name
    _note(db, row, f"{state.value}-broadcast", now=now, actor=actor, **detail)


def _note(
    db: Session, row: WaitingRow, action: str, *, now: datetime, actor: Actor, **detail: object
) -> None:
    facts = {"unit": row.unit_id, "asked_by": row.asked_by, **detail}
    audit.record(db, actor=actor, action=action, subject=row.broadcast_id, now=now, **facts)
    events.emit(db, kind="waiting", ref=row.broadcast_id, now=now)
