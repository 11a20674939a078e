"""Reforms of the tree: drafts, what they would do, and approving one, all of it or nothing."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, demand, may
from server.domain.country import Country
from server.domain.country_reform import proposed
from server.domain.errors import Finding, ReformRefusedError, UnknownThingError
from server.domain.names import in_a_line
from server.domain.recurrence import local_day
from server.domain.reform_drawing import drawn
from server.domain.reforms import Drawing, Proposal
from server.domain.units import Tree
from server.services import audit, events
from server.services.keyring import Keyring
from server.services.reform_effects import Effects, changed, digest, effects, summary
from server.services.reform_ground import ground
from server.services.reform_rows import keep_reaching, redraw, take_back
from server.services.texts import LONGEST_LINE, is_line
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import ReformRow, UnitRow

MOST_NAMED = 10
MOST_DAYS_AHEAD = 3650


@dataclass(frozen=True)
class Verdict:
    """What a reform would do; with any finding, nothing.

    Attributes:
        digest: Names what is said here: whoever approves it says by this what they have seen.
    """

    proposal: Proposal
    drawing: Drawing
    effects: Effects
    findings: tuple[Finding, ...]
    digest: str
    summary: dict[str, dict[str, str]]


def examine(
    db: Session, proposal: Proposal, *, now: datetime, actor: Actor, keyring: Keyring
) -> Verdict:
    """Tell what a reform would do; nothing is changed.

    Raises:
        UnknownThingError: The unit above it does not exist.
        NotAllowedError: The actor may not administer the unit above all that changes.
    """
    demand(actor, Action.ADMINISTER, tree(db, today=local_day(now)).chain(proposal.under))
    findings = _wrong_fields(proposal, now)
    drawing = drawn(ground(db, valid_from=proposal.valid_from, now=now), proposal)
    findings += drawing.findings
    found = Effects() if findings else effects(db, drawing, proposal, now=now)
    findings += [
        Finding(
            "reform-collision",
            {
                "at": "slots",
                "title": one.slot.title,
                "unit": one.slot.unit_name,
                "other": one.other.title,
                "other_unit": one.other.unit_name,
                "start": f"{one.other.rule.local_start:%H:%M}",
                "count": str(len(one.clusters)),
            },
        )
        for one in found.collisions[:MOST_NAMED]
    ]
    if drawing.born and not keyring.may_issue:
        findings.append(Finding("reform-no-root-key"))
    said = summary(drawing, found)
    return Verdict(proposal, drawing, found, tuple(findings), digest(said), said)


def start(db: Session, proposal: Proposal, *, now: datetime, actor: Actor) -> ReformRow:
    """Keep a new draft.

    Raises:
        UnknownThingError: The unit above it does not exist.
        NotAllowedError: The actor may not administer it.
        ReformRefusedError: Title, day or legal reference cannot be used.
    """
    demand(actor, Action.ADMINISTER, tree(db, today=local_day(now)).chain(proposal.under))
    if findings := _wrong_fields(proposal, now):
        raise ReformRefusedError(findings)
    row = ReformRow(
        reform_id=f"r-{uuid.uuid4().hex[:16]}",
        unit_id=proposal.under,
        title=proposal.title,
        valid_from=proposal.valid_from,
        proposal=msgspec.to_builtins(proposal),
        created_at=now,
        created_by=actor.name,
        changed_at=now,
    )
    db.add(row)
    audit.record(
        db, actor=actor, action="draft-reform", subject=row.reform_id, now=now, title=row.title
    )
    return row


def save(
    db: Session,
    reform_id: str,
    proposal: Proposal,
    *,
    version: int,
    now: datetime,
    actor: Actor,
) -> ReformRow:
    """Keep a draft as it stands now, whether or not it can be approved yet.

    Raises:
        UnknownThingError: No such draft.
        NotAllowedError: The actor may not administer the unit above it.
        ReformRefusedError: It has been changed by somebody else, or is approved already; or
            title, day or legal reference cannot be used.
    """
    row = _draft(db, reform_id, now=now, actor=actor)
    if row.version != version:
        raise ReformRefusedError([Finding("reform-edited")])
    if findings := _wrong_fields(proposal, now):
        raise ReformRefusedError(findings)
    demand(actor, Action.ADMINISTER, tree(db, today=local_day(now)).chain(proposal.under))
    row.unit_id = proposal.under
    row.title = proposal.title
    row.valid_from = proposal.valid_from
    row.proposal = msgspec.to_builtins(proposal)
    row.version += 1
    row.changed_at = now
    return row


def look(db: Session, reform_id: str, *, now: datetime, actor: Actor, keyring: Keyring) -> Verdict:
    """Examine a draft, and remember what its effects were seen to be.

    Raises:
        UnknownThingError: No such draft.
        NotAllowedError: The actor may not administer the unit above it.
        ReformRefusedError: It is approved already.
    """
    row = _draft(db, reform_id, now=now, actor=actor)
    verdict = examine(db, asked(row), now=now, actor=actor, keyring=keyring)
    row.seen = verdict.summary
    return verdict


def approve(
    db: Session,
    reform_id: str,
    *,
    seen: str,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
) -> ReformRow:
    """Do what a draft says, if it still does just what was seen; twice is once.

    Raises:
        UnknownThingError: No such draft.
        NotAllowedError: The actor may not administer the unit above it.
        ReformRefusedError: It would do something else than what was seen, or breaks a rule.
    """
    pass_gate(db, "units")
    pass_gate(db, "slots")
    row = _own(db, reform_id, now=now, actor=actor)
    if row.approved_at is not None:
        return row
    verdict = examine(db, asked(row), now=now, actor=actor, keyring=keyring)
    if verdict.findings:
        raise ReformRefusedError(verdict.findings)
    if verdict.digest != seen:
        known = row.seen if digest(row.seen) == seen else verdict.summary
        raise ReformRefusedError(_stale(changed(known, verdict.summary)))
    _settle(db, row, verdict, now=now, actor=actor, keyring=keyring)
    return row


def apply(
    db: Session,
    proposal: Proposal,
    *,
    seen: str = "",
    now: datetime,
    actor: Actor,
    keyring: Keyring,
) -> tuple[ReformRow, Verdict]:
    """Approve a reform that was not kept as a draft before; where ``seen`` is given, just that.

    Raises:
        UnknownThingError: The unit above it does not exist.
        NotAllowedError: The actor may not administer it.
        ReformRefusedError: With every rule that it breaks; then nothing is done.
    """
    pass_gate(db, "units")
    pass_gate(db, "slots")
    verdict = examine(db, proposal, now=now, actor=actor, keyring=keyring)
    if verdict.findings:
        raise ReformRefusedError(verdict.findings)
    if seen and seen != verdict.digest:
        raise ReformRefusedError(_stale({}))
    row = start(db, proposal, now=now, actor=actor)
    _settle(db, row, verdict, now=now, actor=actor, keyring=keyring)
    return row, verdict


def cancel(db: Session, reform_id: str, *, now: datetime, actor: Actor) -> ReformRow:
    """Take an approval back before the reform's day; it is a draft again, and twice is once.

    Raises:
        UnknownThingError: No such reform.
        NotAllowedError: The actor may not administer the unit above it.
        ReformRefusedError: Its day has come, or another reform concerns the same.
    """
    pass_gate(db, "units")
    pass_gate(db, "slots")
    row = _own(db, reform_id, now=now, actor=actor)
    if row.approved_at is None:
        return row
    if not can_be_cancelled(row, now):
        raise ReformRefusedError([Finding("reform-began")])
    if other := _built_upon(db, row):
        raise ReformRefusedError([Finding("reform-built-upon", {"title": other.title})])
    audit.record(
        db,
        actor=actor,
        action="cancel-reform",
        subject=reform_id,
        now=now,
        title=row.title,
        approved_by=row.approved_by,
        **row.settled,
    )
    take_back(db, row.settled, day=row.valid_from)
    row.approved_at, row.approved_by, row.settled = None, "", {}
    row.version += 1
    row.changed_at = now
    events.emit(db, kind="schedule", ref=row.unit_id, now=now)
    return row


def can_be_cancelled(row: ReformRow, now: datetime) -> bool:
    """Say whether nothing of an approved reform has happened yet."""
    return row.approved_at is not None and row.began_at is None and row.valid_from > local_day(now)


def _built_upon(db: Session, row: ReformRow) -> ReformRow | None:
    """Find another reform, of that day or later, that changes what this one does."""
    mine = _concerned(row)
    others = select(ReformRow).where(
        ReformRow.reform_id != row.reform_id,
        ReformRow.approved_at.is_not(None),
        ReformRow.valid_from >= row.valid_from,
    )
    found = db.scalars(others.order_by(ReformRow.valid_from, ReformRow.reform_id))
    return next((other for other in found if not mine.isdisjoint(_concerned(other))), None)


def _concerned(row: ReformRow) -> set[str]:
    """Name the clusters that a reform moves and all units that it changes or gives them to."""
    settled = row.settled
    moves = {**settled["moves"], **settled["reparented"]}
    named = {*settled["born"], *settled["ended"], *moves}
    return named.union(*moves.values()) - {row.unit_id}


def discard(db: Session, reform_id: str, *, now: datetime, actor: Actor) -> None:
    """Forget a draft.

    Raises:
        UnknownThingError: No such draft.
        NotAllowedError: The actor may not administer the unit above it.
        ReformRefusedError: It is approved already.
    """
    row = _draft(db, reform_id, now=now, actor=actor)
    audit.record(
        db, actor=actor, action="discard-reform", subject=reform_id, now=now, title=row.title
    )
    db.delete(row)


def find(db: Session, reform_id: str, *, now: datetime, actor: Actor) -> ReformRow:
    """Find a draft or a reform.

    Raises:
        UnknownThingError: There is none.
        NotAllowedError: The actor may not administer the unit above it.
    """
    return _own(db, reform_id, now=now, actor=actor)


def listed(db: Session, *, actor: Actor, units: Tree) -> Sequence[ReformRow]:
    """List the drafts and reforms under units that somebody administers, the latest day first."""
    rows = db.scalars(select(ReformRow).order_by(ReformRow.valid_from.desc(), ReformRow.reform_id))
    return [
        row
        for row in rows
        if row.unit_id in units.units and may(actor, Action.ADMINISTER, units.chain(row.unit_id))
    ]


def propose_july_2025(
    db: Session, country: Country, *, under: str, valid_from: date, now: datetime, actor: Actor
) -> Proposal:
    """Propose what the reform of July 2025 does with the old communes under a province.

    Raises:
        UnknownThingError: There is no such unit.
        NotAllowedError: The actor may not administer it.
    """
    units = tree(db, today=max(valid_from, local_day(now)))
    demand(actor, Action.ADMINISTER, units.chain(under))
    rows = db.execute(select(UnitRow.unit_id, UnitRow.code).where(UnitRow.code.is_not(None)))
    codes = {unit: code for unit, code in rows if code is not None and unit in units.units}
    title = f"Sắp xếp đơn vị hành chính cấp xã: {units.unit(under).name}"[:LONGEST_LINE]
    return proposed(country, units, codes, under=under, valid_from=valid_from, title=title)


def asked(row: ReformRow) -> Proposal:
    """Read what a draft asks for."""
    return msgspec.convert(row.proposal, Proposal)


def _settle(
    db: Session,
    row: ReformRow,
    verdict: Verdict,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
) -> None:
    proposal, drawing = verdict.proposal, verdict.drawing
    redraw(db, drawing, day=proposal.valid_from, now=now, keyring=keyring)
    reaching = keep_reaching(db, verdict.effects.reaches)
    row.approved_at, row.approved_by = now, actor.name
    row.seen = verdict.summary
    row.settled = {
        "ended": list(drawing.ended),
        "born": [new.unit_id for new in drawing.born],
        "moves": {move.cluster_id: [move.before, move.after] for move in drawing.moves},
        "reparented": {one.cluster_id: [one.before, one.after] for one in drawing.reparented},
        "reaching": reaching,
    }
    audit.record(
        db,
        actor=actor,
        action="approve-reform",
        subject=row.reform_id,
        now=now,
        title=row.title,
        valid_from=proposal.valid_from.isoformat(),
        legal_reference=proposal.legal_reference,
        **row.settled,
    )
    events.emit(db, kind="schedule", ref=row.unit_id, now=now)


def _own(db: Session, reform_id: str, *, now: datetime, actor: Actor) -> ReformRow:
    # Locked: of two who approve it at once, one does.
    row = db.get(ReformRow, reform_id, with_for_update=True)
    if row is None:
        raise UnknownThingError("reform", reform_id)
    demand(actor, Action.ADMINISTER, tree(db, today=local_day(now)).chain(row.unit_id))
    return row


def _draft(db: Session, reform_id: str, *, now: datetime, actor: Actor) -> ReformRow:
    row = _own(db, reform_id, now=now, actor=actor)
    if row.approved_at is not None:
        raise ReformRefusedError([Finding("reform-approved")])
    return row


def _wrong_fields(proposal: Proposal, now: datetime) -> list[Finding]:
    findings = []
    if not is_line(proposal.title):
        findings.append(Finding("bad-title", {"at": "title"}))
    if proposal.legal_reference and not is_line(proposal.legal_reference):
        fields = {"at": "legal_reference", "longest": str(LONGEST_LINE)}
        findings.append(Finding("bad-legal-reference", fields))
    if proposal.valid_from > local_day(now) + timedelta(days=MOST_DAYS_AHEAD):
        findings.append(Finding("bad-day", {"at": "valid_from"}))
    for number, new in enumerate(proposal.born):
        if new.name.strip() and not is_line(new.name):
            findings.append(Finding("bad-name", {"at": f"born-{number}"}))
    return findings


def _stale(changes: dict[str, list[str]]) -> list[Finding]:
    return [
        Finding(
            "reform-stale",
            {"kind": kind, "count": str(len(refs)), "refs": in_a_line(refs)},
        )
        for kind, refs in changes.items()
    ] or [Finding("reform-stale", {"kind": "", "count": "", "refs": ""})]
