"""Hush a unit and all under it, and lift it again: one person may silence, two give back."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from protocol import topics
from protocol.ids import UnitId
from protocol.messages import Hush, HushState, LiftHush, Mode
from protocol.signing import audience_unit, sign
from server.domain.assent import is_asked
from server.domain.authority import Action, Actor, demand
from server.domain.errors import Finding, HushRefusedError, UnknownThingError
from server.domain.hushes import (
    PREFIX,
    TOKEN_LIFE,
    is_at_least_as_strict,
    lift_findings,
)
from server.domain.recurrence import local_day
from server.services import audit, events, hush_deliveries, outbox
from server.services.hush_words import state_of
from server.services.keyring import Keyring
from server.services.planning import PLAN_DAYS, publish_plan
from server.services.texts import is_line
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import HushRow, PlanRow


@dataclass(frozen=True, slots=True)
class NewHush:
    """A silence as somebody asks for it.

    Attributes:
        spares_emergencies: Whether real emergencies sound all the same.
        mode: ``real``, or ``drill``: nodes confirm it and stay as loud as they were.
    """

    unit_id: str
    reason: str
    spares_emergencies: bool = False
    mode: str = "real"


def hush(
    db: Session,
    new: NewHush,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    plan_days: int = PLAN_DAYS,
) -> HushRow:
    """Silence all that is under a unit, at once and until two people lift it.

    Twice is once; a stricter one takes the place of the one that is on.

    Raises:
        UnknownThingError: No such unit.
        NotAllowedError: The actor may not hush the unit.
        HushRefusedError: With every rule that it breaks.
    """
    places = tree(db, today=local_day(now))
    demand(actor, Action.HUSH, places.chain(new.unit_id))
    if findings := wrong(new):
        raise HushRefusedError(findings)
    pass_gate(db, f"hush of {new.unit_id}")
    before = lasting_at(db, new.unit_id, mode=new.mode)
    if before is not None:
        if before.spares_emergencies == new.spares_emergencies:
            return before
        if not is_at_least_as_strict(
            spares_emergencies=new.spares_emergencies, than_spares=before.spares_emergencies
        ):
            raise HushRefusedError([Finding("hush-looser")])
    state = HushState(
        hush_id=f"{PREFIX}{uuid.uuid4().hex[:16]}",
        number=_next_number(db, new.unit_id, now),
        since=now,
        mode=Mode(new.mode),
        spares_emergencies=new.spares_emergencies,
        by=actor.name,
        reason=new.reason.strip(),
    )
    if before is not None:
        before.ended_at, before.ended_by = now, actor.name
        before.superseded_by = state.hush_id
        db.flush()  # a unit has one silence at a time, and the database minds it
    row = HushRow(
        hush_id=state.hush_id,
        unit_id=new.unit_id,
        mode=new.mode,
        spares_emergencies=new.spares_emergencies,
        reason=state.reason,
        number=state.number,
        since=now,
        created_by=actor.name,
        token=_signed(db, Hush(unit=new.unit_id, state=state), now=now, keyring=keyring),
        expires_at=now + TOKEN_LIFE,
        plan_version=0,
    )
    db.add(row)
    db.flush()  # the plan reads it, deliveries refer to it
    _tell(db, row, row.token, now=now)
    row.plan_version = _published(db, new.unit_id, now=now, keyring=keyring, days=plan_days)
    clusters = places.clusters_under(new.unit_id)
    hush_deliveries.expect(db, row, clusters, now=now)
    _note(db, row, "hush", now=now, actor=actor, reason=row.reason, clusters=len(clusters))
    return row


def wrong(new: NewHush) -> list[Finding]:
    """Find what is wrong with a silence as it was asked for."""
    findings = []
    if not is_line(new.reason):
        findings.append(Finding("reason-needed"))
    if new.mode not in set(Mode):
        findings.append(Finding("bad-mode"))
    return findings


def ask_lift(db: Session, hush_id: str, *, now: datetime, actor: Actor) -> HushRow:
    """Ask for the end of a silence; somebody else has to approve within a quarter of an hour.

    Raises:
        UnknownThingError: No such hush.
        NotAllowedError: The actor may not hush the unit.
        HushRefusedError: Somebody else has asked already, and waits for approval.
    """
    row = _locked(db, hush_id, now=now, actor=actor)
    if row.ended_at is not None:
        return row
    if is_asked(row.lift_asked_at, now):
        if row.lift_asked_by != actor.name:
            raise HushRefusedError([Finding("lift-asked", {"person": row.lift_asked_by or ""})])
        return row
    row.lift_asked_at, row.lift_asked_by = now, actor.name
    _note(db, row, "ask-lift", now=now, actor=actor)
    return row


def approve_lift(
    db: Session,
    hush_id: str,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    plan_days: int = PLAN_DAYS,
) -> HushRow:
    """End a silence that somebody else has asked to end. Twice is once.

    Raises:
        UnknownThingError: No such hush.
        NotAllowedError: The actor may not hush the unit.
        HushRefusedError: Nobody has asked, or it was the actor, or too long ago.
    """
    row = _locked(db, hush_id, now=now, actor=actor)
    if row.ended_at is not None:
        return row
    findings = lift_findings(row.lift_asked_by, row.lift_asked_at, actor.name, now)
    if findings:
        raise HushRefusedError(findings)
    row.ended_at, row.ended_by = now, actor.name
    row.lift_number = _next_number(db, row.unit_id, now)
    order = LiftHush(unit=row.unit_id, state=state_of(row))
    row.lift_token = _signed(db, order, now=now, keyring=keyring)
    row.expires_at = now + TOKEN_LIFE
    db.flush()  # the plan reads it
    _tell(db, row, row.lift_token, now=now)
    row.lift_plan_version = _published(db, row.unit_id, now=now, keyring=keyring, days=plan_days)
    hush_deliveries.expect_again(db, row, now=now)
    asked_by = row.lift_asked_by
    _note(db, row, "lift-hush", now=now, actor=actor, asked_by=asked_by)
    return row


def find(db: Session, hush_id: str) -> HushRow:
    """Find a hush, over or not.

    Raises:
        UnknownThingError: There is none of that id.
    """
    row = db.get(HushRow, hush_id)
    if row is None:
        raise UnknownThingError("hush", hush_id)
    return row


def lasting(db: Session, units: Collection[str] | None = None) -> list[HushRow]:
    """List the silences that last, real ones first; of some units, or None: of all."""
    rows = select(HushRow).where(HushRow.ended_at.is_(None))
    if units is not None:
        rows = rows.where(HushRow.unit_id.in_(units))
    return sorted(db.scalars(rows), key=lambda row: (row.mode != Mode.REAL, row.since))


def lasting_at(db: Session, unit_id: str, *, mode: str) -> HushRow | None:
    """Find the silence of one unit that lasts, meant or rehearsed."""
    return db.scalar(
        select(HushRow).where(
            HushRow.unit_id == unit_id, HushRow.mode == mode, HushRow.ended_at.is_(None)
        )
    )


def recent(db: Session, units: Collection[str] | None, *, limit: int = 20) -> list[HushRow]:
    """List the newest silences that are over; of some units, or None: of all."""
    rows = select(HushRow).where(HushRow.ended_at.is_not(None))
    if units is not None:
        rows = rows.where(HushRow.unit_id.in_(units))
    return list(db.scalars(rows.order_by(HushRow.ended_at.desc()).limit(limit)))


def _locked(db: Session, hush_id: str, *, now: datetime, actor: Actor) -> HushRow:
    # Locked: of two who approve at once, one signs.
    row = db.get(HushRow, hush_id, with_for_update=True)
    if row is None:
        raise UnknownThingError("hush", hush_id)
    demand(actor, Action.HUSH, tree(db, today=local_day(now)).chain(row.unit_id))
    return row


def _next_number(db: Session, unit_id: str, now: datetime) -> int:
    newest = select(func.max(HushRow.number), func.max(HushRow.lift_number)).where(
        HushRow.unit_id == unit_id
    )
    known = max((number or 0 for number in db.execute(newest).one()), default=0)
    # Seconds since 1970 keep numbers growing even after the database came back from a backup.
    return max(int(now.timestamp()), known + 1)


def _signed(db: Session, order: Hush | LiftHush, *, now: datetime, keyring: Keyring) -> bytes:
    word = "hush" if isinstance(order, Hush) else "lift"
    return sign(
        keyring.unit_key(db, order.unit, now=now),
        order,
        audience=[audience_unit(order.unit)],
        issued_at=now,
        expires=now + TOKEN_LIFE,
        token_id=f"{word}-{order.state.hush_id}",
    )


def _tell(db: Session, row: HushRow, token: bytes, *, now: datetime) -> None:
    outbox.post(
        db,
        topic=topics.unit_order(UnitId(row.unit_id)),
        payload=token,
        retained=False,
        expires_at=now + TOKEN_LIFE,
        now=now,
    )


def _published(db: Session, unit_id: str, *, now: datetime, keyring: Keyring, days: int) -> int:
    publish_plan(db, unit_id, now=now, keyring=keyring, days=days)
    return db.scalars(select(PlanRow.version).where(PlanRow.unit_id == unit_id)).one()


def _note(
    db: Session, row: HushRow, action: str, *, now: datetime, actor: Actor, **detail: object
) -> None:
    facts = {"unit": row.unit_id, "mode": row.mode, **detail}
    audit.record(db, actor=actor, action=action, subject=row.hush_id, now=now, **facts)
    events.emit(db, kind="hush", ref=row.hush_id, now=now)
