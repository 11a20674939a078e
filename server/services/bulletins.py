"""Bulletins until they are sent: composed, edited, submitted, approved or sent back."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from protocol.messages import BulletinClass, Severity
from server.domain.authority import Action, Actor, demand
from server.domain.bulletins import Act, Life, State, acted
from server.domain.errors import BulletinRefusedError, Finding, TakenError, UnknownThingError
from server.domain.recurrence import is_usable, local_day
from server.domain.units import Tree
from server.services import audit, events
from server.services.catalogue import may_use
from server.services.texts import is_line, is_text
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import AssetRow, BulletinActRow, BulletinRow


@dataclass(frozen=True, slots=True)
class NewBulletin:
    """A bulletin as somebody asks for it; sound, addressees and deadline may come later.

    Attributes:
        request_id: Made once by the sender; the same one again is the same bulletin.
        addressed: Units whose communes are to get it, under the unit or itself.
        decision_number: The deciding committee's number; an emergency needs one (Decree
            49/2024/NĐ-CP, articles 7-9).
    """

    request_id: str
    unit_id: str
    title: str
    bulletin_class: str
    text: str = ""
    asset_digest: str = ""
    addressed: tuple[str, ...] = ()
    deadline: datetime | None = None
    decision_number: str = ""
    severity: int = 0


def compose(db: Session, new: NewBulletin, *, now: datetime, actor: Actor) -> BulletinRow:
    """Keep a draft. The same request again finds what the first has made.

    Raises:
        NotAllowedError: The actor may not schedule for the unit.
        TakenError: The request's id is another unit's.
        BulletinRefusedError: With everything that cannot be kept.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.SCHEDULE, units.chain(new.unit_id))
    pass_gate(db, f"request {new.request_id}")
    known = db.scalar(select(BulletinRow).where(BulletinRow.request_id == new.request_id))
    if known is not None:
        if known.unit_id != new.unit_id:
            raise TakenError("request", new.request_id)
        return known
    _refuse(_wrong(db, new, units))
    row = BulletinRow(
        bulletin_id=f"bl-{uuid.uuid4().hex[:16]}",
        request_id=new.request_id,
        unit_id=new.unit_id,
        state=State.DRAFT.value,
        version=1,
        created_at=now,
        created_by=actor.name,
        acts=[],
    )
    _write(row, new)
    db.add(row)
    note(db, row, Act.COMPOSE, now=now, actor=actor)
    return row


def edit(
    db: Session, bulletin_id: str, new: NewBulletin, *, version: int, now: datetime, actor: Actor
) -> BulletinRow:
    """Write a bulletin anew; whatever was approved of it is not approved any more.

    Raises:
        UnknownThingError: No such bulletin.
        NotAllowedError: The actor may not schedule for its unit.
        StaleError: Somebody else has edited it meanwhile.
        BulletinRefusedError: It has been sent, or something cannot be kept.
    """
    row = locked(db, bulletin_id)
    units = tree(db, today=local_day(now))
    demand(actor, Action.SCHEDULE, units.chain(row.unit_id))
    life = acted(life_of(row), Act.EDIT, actor.name, version=version)
    _refuse(_wrong(db, new, units, unit_id=row.unit_id))
    row.state, row.version, row.approved_by = life.state.value, life.version, None
    _write(row, new)
    note(db, row, Act.EDIT, now=now, actor=actor)
    return row


def submit(
    db: Session, bulletin_id: str, *, version: int, now: datetime, actor: Actor
) -> BulletinRow:
    """Ask for approval of what is complete.

    Raises:
        UnknownThingError: No such bulletin.
        NotAllowedError: The actor may not schedule for its unit.
        StaleError: It has been edited meanwhile.
        BulletinRefusedError: Something is missing, or it is no draft.
    """
    row = locked(db, bulletin_id)
    units = tree(db, today=local_day(now))
    demand(actor, Action.SCHEDULE, units.chain(row.unit_id))
    if step(db, row, Act.SUBMIT, version=version, now=now, actor=actor):
        _refuse(missing(db, row, units, now))
    return row


def approve(
    db: Session, bulletin_id: str, *, version: int, now: datetime, actor: Actor
) -> BulletinRow:
    """Approve a version of somebody else's bulletin.

    Raises:
        UnknownThingError: No such bulletin.
        NotAllowedError: The actor may not approve for its unit.
        StaleError: It has been edited meanwhile.
        BulletinRefusedError: The actor is among its authors, or it has not been submitted.
    """
    row = locked(db, bulletin_id)
    demand(actor, Action.APPROVE, tree(db, today=local_day(now)).chain(row.unit_id))
    if step(db, row, Act.APPROVE, version=version, now=now, actor=actor):
        row.approved_by = actor.name
    return row


def send_back(
    db: Session, bulletin_id: str, *, version: int, reason: str, now: datetime, actor: Actor
) -> BulletinRow:
    """Return a bulletin to its authors, with a reason.

    Raises:
        UnknownThingError: No such bulletin.
        NotAllowedError: The actor may not approve for its unit.
        StaleError: It has been edited meanwhile.
        BulletinRefusedError: There is no reason, or it is with its authors already.
    """
    row = locked(db, bulletin_id)
    demand(actor, Action.APPROVE, tree(db, today=local_day(now)).chain(row.unit_id))
    refuse_without_reason(reason)
    if step(db, row, Act.RETURN, version=version, now=now, actor=actor, reason=reason.strip()):
        row.approved_by = None
    return row


def locked(db: Session, bulletin_id: str) -> BulletinRow:
    """Find a bulletin with its history, and keep others from changing it meanwhile.

    Raises:
        UnknownThingError: There is none of that id.
    """
    wanted = (
        select(BulletinRow)
        .where(BulletinRow.bulletin_id == bulletin_id)
        .options(selectinload(BulletinRow.acts))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    row = db.scalar(wanted)
    if row is None:
        raise UnknownThingError("bulletin", bulletin_id)
    return row


def life_of(row: BulletinRow) -> Life:
    """Turn a row with its history into the value that the rules work on."""
    wrote = {Act.COMPOSE, Act.EDIT}
    authors = frozenset(act.actor for act in row.acts if act.act in wrote)
    return Life(State(row.state), row.version, authors)


def step(
    db: Session,
    row: BulletinRow,
    act: Act,
    *,
    version: int,
    now: datetime,
    actor: Actor,
    reason: str = "",
) -> bool:
    """Take a locked bulletin one step on; tell whether that changed anything.

    Raises:
        StaleError, BulletinRefusedError: As ``domain.bulletins.acted`` says.
    """
    before = life_of(row)
    after = acted(before, act, actor.name, version=version)
    if after == before:
        return False
    row.state = after.state.value
    note(db, row, act, now=now, actor=actor, reason=reason)
    return True


def note(
    db: Session,
    row: BulletinRow,
    act: Act,
    *,
    now: datetime,
    actor: Actor,
    unit_id: str | None = None,
    reason: str = "",
) -> None:
    """Write a deed into the bulletin's history and the audit, and tell open pages."""
    row.acts.append(
        BulletinActRow(
            at=now,
            actor=actor.name,
            act=act.value,
            version=row.version,
            unit_id=unit_id,
            reason=reason,
        )
    )
    audit.record(
        db,
        actor=actor,
        action=f"{act.value}-bulletin",
        subject=row.bulletin_id,
        now=now,
        version=row.version,
        title=row.title,
        unit=unit_id or row.unit_id,
        reason=reason,
    )
    events.emit(db, kind="bulletin", ref=row.bulletin_id, now=now)


def missing(db: Session, row: BulletinRow, units: Tree, now: datetime) -> list[Finding]:
    """Say what a bulletin still lacks before it may go out."""
    findings = []
    asset = db.get(AssetRow, row.asset_digest) if row.asset_digest else None
    if row.asset_digest is None:
        findings.append(Finding("no-audio"))
    elif asset is None or not may_use(units, asset, row.unit_id):
        findings.append(Finding("unknown-asset"))
    if not stations(units, row.unit_id, row.addressed["units"]):
        findings.append(Finding("no-commune"))
    if row.bulletin_class == BulletinClass.EMERGENCY:
        if not row.decision_number:
            findings.append(Finding("decision-number-needed"))
    elif row.deadline is None and row.bulletin_class == BulletinClass.ORDINARY:
        findings.append(Finding("deadline-needed"))
    elif row.deadline is not None and row.deadline <= now:
        findings.append(Finding("deadline-past"))
    return findings


def stations(units: Tree, sender: str, addressed: Sequence[str]) -> list[str]:
    """List the units with loudspeakers of their own that addressed units mean, never the sender."""
    found = {
        unit
        for top in addressed
        if top in units.units and sender in units.chain(top)
        for unit in units.subtree(top)
        if unit != sender and units.own_clusters(unit)
    }
    return sorted(found)


def refuse_without_reason(reason: str) -> None:
    """Go on only with a reason in words.

    Raises:
        BulletinRefusedError: There is none, or it cannot be kept.
    """
    if not reason.strip() or not is_text(reason):
        raise BulletinRefusedError([Finding("reason-needed")])


def _refuse(findings: Sequence[Finding]) -> None:
    if findings:
        raise BulletinRefusedError(findings)


def _write(row: BulletinRow, new: NewBulletin) -> None:
    emergency = new.bulletin_class == BulletinClass.EMERGENCY
    row.title = new.title.strip()
    row.text = new.text.strip()
    row.bulletin_class = new.bulletin_class
    row.asset_digest = new.asset_digest or None
    row.addressed = {"units": list(dict.fromkeys(new.addressed))}
    row.deadline = None if emergency else new.deadline
    row.decision_number = new.decision_number.strip() if emergency else ""
    row.severity = new.severity if emergency else 0


def _wrong(db: Session, new: NewBulletin, units: Tree, *, unit_id: str = "") -> list[Finding]:
    """Say what cannot be kept; ``unit_id`` is the bulletin's where it is there already."""
    sender = unit_id or new.unit_id
    checks = {
        "bad-title": is_line(new.title),
        "bad-text": is_text(new.text),
        "bad-request-id": is_line(new.request_id),
        "bad-decision-number": not new.decision_number.strip() or is_line(new.decision_number),
        "bad-severity": new.severity in set(Severity),
        "bad-deadline": new.deadline is None or is_usable(local_day(new.deadline)),
    }
    findings = [Finding(code) for code, is_fine in checks.items() if not is_fine]
    if new.bulletin_class not in set(BulletinClass):
        findings.append(Finding("not-allowed-class", {"class": new.bulletin_class[:20]}))
    if new.asset_digest:
        asset = db.get(AssetRow, new.asset_digest)
        if asset is None or not may_use(units, asset, sender):
            findings.append(Finding("unknown-asset", {"digest": new.asset_digest[:64]}))
    below = set(units.subtree(sender))
    if outside := [unit for unit in new.addressed if unit not in below]:
        findings.append(Finding("out-of-scope", {"targets": ", ".join(outside)}))
    return findings
