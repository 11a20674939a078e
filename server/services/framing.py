"""Time frames and quiet hours: lay one down, change or withdraw one, show what holds at a unit."""

import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import LEAST_GAIN_DB
from server.domain.authority import Action, Actor, demand, demand_laying_down
from server.domain.errors import Finding, FrameRefusedError, StaleError, UnknownThingError
from server.domain.frames import TimeFrame
from server.domain.hours import trespasses
from server.domain.names import in_a_line
from server.domain.recurrence import EVERY_DAY, local_day
from server.domain.slots import Slot
from server.domain.units import Tree
from server.services import audit, events
from server.services.keyring import Keyring
from server.services.placement import misplaced_slot
from server.services.planning import (
    PLAN_DAYS,
    frame_value,
    frames_of,
    publish_plan,
    publish_plans,
    slots_of,
)
from server.services.texts import LONGEST_LINE, is_line
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import FrameRow, LevelRow

QUIET = "quiet"
KINDS = ("frame", QUIET)
SESSION_LIMITS_S = (60, 86_400)


@dataclass(frozen=True, slots=True)
class NewFrame:
    """A frame as somebody asks for it; times are on the wall in Asia/Ho_Chi_Minh.

    Attributes:
        local_end: Midnight for 24:00; not after ``local_start`` for the next day.
        owner_id, owner_rank: Whose programmes it is for; neither: anybody's under the unit.
    """

    unit_id: str
    kind: str
    local_start: time
    local_end: time
    weekdays: int = EVERY_DAY
    owner_id: str | None = None
    owner_rank: int | None = None
    session_limit_s: int | None = None
    volume_ceiling_db: float | None = None
    legal_reference: str = ""


@dataclass(frozen=True, slots=True)
class LaidDown:
    """A frame that holds at a unit, and who laid it down."""

    frame: TimeFrame
    unit_name: str
    is_own: bool

    @property
    def version(self) -> str:
        """Tells whether somebody else has changed it since it was looked at."""
        return version_of(self.frame)


def add_frame(
    db: Session,
    new: NewFrame,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    confirmed: bool = False,
    plan_days: int = PLAN_DAYS,
) -> FrameRow:
    """Check a frame, save it, and publish the plans that it changes, all or nothing.

    Where slots would be left outside the hours then open to them, it is done only when confirmed.

    Raises:
        NotAllowedError: The actor may not lay down hours for the unit.
        FrameRefusedError: With every rule that it breaks.
    """
    units = tree(db, today=local_day(now))
    demand_laying_down(actor, units.chain(new.unit_id))
    row = FrameRow(frame_id=f"f-{uuid.uuid4().hex[:16]}", unit_id=new.unit_id, **_facts(new))
    _demand_room(db, new, frame_value(row), units=units, now=now, confirmed=confirmed)
    db.add(row)
    ranks = {row.owner_rank}
    _publish(db, row, ranks, units=units, now=now, keyring=keyring, days=plan_days)
    audit.record(db, actor=actor, action="add-frame", subject=row.frame_id, now=now, **_detail(row))
    return row


def change_frame(  # noqa: PLR0913 - who, when, where and how far plans reach besides what is asked
    db: Session,
    frame_id: str,
    new: NewFrame,
    *,
    version: str,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    confirmed: bool = False,
    plan_days: int = PLAN_DAYS,
) -> FrameRow:
    """Change hours as if they were laid down anew in place of what they were.

    Where slots would be left outside the hours then open to them, it is done only when confirmed.

    Raises:
        UnknownThingError: No such frame, or it has been withdrawn.
        NotAllowedError: The actor may not lay down hours for its unit.
        StaleError: Somebody else has changed it since ``version``.
        FrameRefusedError: With every rule that it breaks.
    """
    # First the gate, as when a reform passes hours on: two may not wait for each other.
    pass_gate(db, "slots")
    # Locked: of two who change it at once, the second is told.
    row = db.get(FrameRow, frame_id, with_for_update=True)
    if row is None or row.withdrawn_at is not None:
        raise UnknownThingError("frame", frame_id)
    units = tree(db, today=local_day(now))
    demand_laying_down(actor, units.chain(row.unit_id))
    before = frame_value(row)
    if version != version_of(before):
        raise StaleError("frame", frame_id)
    if new.unit_id != row.unit_id:
        raise FrameRefusedError([Finding("frame-other-unit")])
    facts, was, ranks = _facts(new), _detail(row), {row.owner_rank, new.owner_rank}
    value = frame_value(FrameRow(frame_id=frame_id, unit_id=row.unit_id, **facts))
    if value == before:
        return row
    _demand_room(db, new, value, units=units, now=now, confirmed=confirmed)
    for name, fact in facts.items():
        setattr(row, name, fact)
    _publish(db, row, ranks, units=units, now=now, keyring=keyring, days=plan_days)
    changed = {name: [was[name], fact] for name, fact in _detail(row).items() if fact != was[name]}
    audit.record(db, actor=actor, action="change-frame", subject=frame_id, now=now, changed=changed)
    return row


def withdraw_frame(
    db: Session,
    frame_id: str,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    confirmed: bool = False,
    plan_days: int = PLAN_DAYS,
) -> FrameRow:
    """Take a frame out of all coming plans. Twice is once.

    Where slots would be left outside the hours then open to them, it is done only when confirmed.

    Raises:
        UnknownThingError: No such frame.
        NotAllowedError: The actor may not lay down hours for its unit.
        FrameRefusedError: Slots would be left outside.
    """
    # First the gate, as when a reform passes hours on: two may not wait for each other.
    pass_gate(db, "slots")
    # Locked: of two who withdraw it at once, one does.
    row = db.get(FrameRow, frame_id, with_for_update=True)
    if row is None:
        raise UnknownThingError("frame", frame_id)
    units = tree(db, today=local_day(now))
    demand_laying_down(actor, units.chain(row.unit_id))
    if row.withdrawn_at is not None:
        return row
    before = frames_of(db, units.units)
    after = [frame for frame in before if frame.frame_id != frame_id]
    if not confirmed:
        findings = _stranded(db, row.unit_id, before, after, units=units, now=now)
        if findings:
            raise FrameRefusedError(findings)
    row.withdrawn_at = now
    ranks = {row.owner_rank}
    _publish(db, row, ranks, units=units, now=now, keyring=keyring, days=plan_days)
    audit.record(
        db, actor=actor, action="withdraw-frame", subject=frame_id, now=now, **_detail(row)
    )
    return row


def frames_at(db: Session, unit_id: str, *, units: Tree) -> list[LaidDown]:
    """List what holds at a unit, the top unit's first: inherited frames and its own."""
    chain = units.chain(unit_id)
    found = frames_of(db, chain)
    return [
        LaidDown(frame, units.unit(upper).name, is_own=upper == unit_id)
        for upper in chain
        for frame in found
        if frame.unit_id == upper
    ]


def version_of(frame: TimeFrame) -> str:
    """Sum up what a frame says, so that it can be told later whether it still does."""
    return hashlib.sha256(repr(frame).encode()).hexdigest()[:16]


def listed(db: Session, unit_id: str, *, actor: Actor, now: datetime) -> list[LaidDown]:
    """List what holds at a unit for somebody who may look.

    Raises:
        NotAllowedError: The actor may not see the unit.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.VIEW, units.chain(unit_id))
    return frames_at(db, unit_id, units=units)


def levels(db: Session) -> list[LevelRow]:
    """List the levels of government, the highest first."""
    return list(db.scalars(select(LevelRow).order_by(LevelRow.rank)))


def _demand_room(
    db: Session,
    new: NewFrame,
    value: TimeFrame,
    *,
    units: Tree,
    now: datetime,
    confirmed: bool,
) -> None:
    """Refuse hours that break a rule, beside all others but what they take the place of."""
    findings = [*_wrong_fields(new), *_wrong_owner(db, new, units)]
    if findings:
        raise FrameRefusedError(findings)
    # Frames and slots are judged by each other: nobody may add one unseen.
    pass_gate(db, "slots")
    before = frames_of(db, units.units)
    others = [frame for frame in before if frame.frame_id != value.frame_id]
    above = [frame for frame in others if frame.unit_id in units.chain(new.unit_id)[:-1]]
    own = [frame for frame in others if frame.unit_id == new.unit_id]
    findings = trespasses(value, units.unit(new.unit_id), above, own)
    if not findings and not confirmed:
        findings = _stranded(db, new.unit_id, before, [*others, value], units=units, now=now)
    if findings:
        raise FrameRefusedError(findings)


def _publish(
    db: Session,
    row: FrameRow,
    ranks: Collection[int | None],
    *,
    units: Tree,
    now: datetime,
    keyring: Keyring,
    days: int,
) -> None:
    db.flush()  # plans are compiled from the rows
    publish_plan(db, row.unit_id, now=now, keyring=keyring, units=units, days=days)
    if any(rank is not None for rank in ranks):
        under = set(units.subtree(row.unit_id)) - {row.unit_id}
        # In the tree's order, as the scheduler takes them: two may not wait for each other.
        given = [
            unit_id
            for unit_id, unit in units.units.items()
            if unit_id in under and unit.level_rank in ranks
        ]
        publish_plans(db, given, now=now, keyring=keyring, units=units, days=days)
    events.emit(db, kind="schedule", ref=row.unit_id, now=now)


def _stranded(
    db: Session,
    unit_id: str,
    before: Sequence[TimeFrame],
    after: Sequence[TimeFrame],
    *,
    units: Tree,
    now: datetime,
) -> list[Finding]:
    """Name the slots that lie well now, and would not any more."""
    below = units.clusters_under(unit_id)
    left: list[Slot] = []
    for slot in slots_of(db, units=units):
        chains = {units.chain_of_cluster(cluster) for cluster in slot.clusters & below}
        if (
            chains
            and misplaced_slot(slot, chains, after, units=units, now=now)
            and not misplaced_slot(slot, chains, before, units=units, now=now)
        ):
            left.append(slot)
    if not left:
        return []
    left.sort(key=lambda slot: (slot.rule.local_start, slot.unit_name, slot.title))
    named = [f"{slot.rule.local_start:%H:%M} {slot.title} ({slot.unit_name})" for slot in left]
    return [
        Finding("slots-left-outside", {"count": str(len(left)), "slots": in_a_line(named, "; ")})
    ]


def _wrong_fields(new: NewFrame) -> list[Finding]:
    findings = []
    if new.kind not in KINDS:
        findings.append(Finding("bad-frame-kind"))
    if not 0 < new.weekdays <= EVERY_DAY:
        findings.append(Finding("bad-weekdays"))
    if any(at.second or at.microsecond or at.tzinfo for at in (new.local_start, new.local_end)):
        findings.append(Finding("bad-frame-time"))
    low_s, high_s = SESSION_LIMITS_S
    if new.session_limit_s is not None and not low_s <= new.session_limit_s <= high_s:
        findings.append(Finding("bad-session-limit"))
    ceiling_db = new.volume_ceiling_db
    if ceiling_db is not None and not LEAST_GAIN_DB <= ceiling_db <= 0:
        findings.append(Finding("bad-ceiling"))
    if new.legal_reference and not is_line(new.legal_reference):
        findings.append(Finding("bad-legal-reference", {"longest": str(LONGEST_LINE)}))
    limits = (new.owner_id, new.owner_rank, new.session_limit_s, new.volume_ceiling_db)
    if new.kind == QUIET and any(limit is not None for limit in limits):
        findings.append(Finding("quiet-is-nobodys"))
    return findings


def _wrong_owner(db: Session, new: NewFrame, units: Tree) -> list[Finding]:
    if new.owner_id is not None and new.owner_rank is not None:
        return [Finding("frame-owner")]
    if new.owner_id is not None and new.owner_id not in set(units.subtree(new.unit_id)):
        return [Finding("frame-owner")]
    if new.owner_rank is not None and (
        new.owner_rank < units.unit(new.unit_id).level_rank
        or db.get(LevelRow, new.owner_rank) is None
    ):
        return [Finding("frame-owner")]
    return []


def _facts(new: NewFrame) -> dict[str, Any]:
    return {
        "owner_id": new.owner_id,
        "owner_rank": new.owner_rank,
        "kind": new.kind,
        "weekdays": new.weekdays,
        "local_start": new.local_start,
        "local_end": new.local_end,
        "session_limit_s": new.session_limit_s,
        "volume_ceiling_db": new.volume_ceiling_db,
        "legal_reference": new.legal_reference.strip(),
    }


def _detail(row: FrameRow) -> dict[str, object]:
    return {
        "unit": row.unit_id,
        "kind": row.kind,
        "weekdays": row.weekdays,
        "start": f"{row.local_start:%H:%M}",
        "end": f"{row.local_end:%H:%M}",
        "owner": row.owner_id if row.owner_rank is None else row.owner_rank,
        "session_limit_s": row.session_limit_s,
        "volume_ceiling_db": row.volume_ceiling_db,
        "legal_reference": row.legal_reference,
    }
