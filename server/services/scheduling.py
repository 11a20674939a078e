"""Slots: check and save one, withdraw one, and show what a cluster will play on a day."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

import msgspec
from sqlalchemy.orm import Session, selectinload

from protocol.content import length_s
from protocol.messages import BulletinClass, Claim, ClaimKind, Targets, WhenCut
from protocol.plan import timeline
from server.domain.authority import Action, Actor, demand
from server.domain.errors import Finding, PatternError, SlotRefusedError, UnknownThingError
from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import (
    EVERY_DAY,
    LOCAL,
    Recurrence,
    Rule,
    check,
    day_bounds,
    is_usable,
    local_day,
)
from server.domain.rrules import LAST_DAY
from server.domain.slots import Slot, clashes, slot_of_claim
from server.domain.targeting import chosen
from server.domain.units import Tree
from server.services import audit, events
from server.services.catalogue import may_use
from server.services.keyring import Keyring
from server.services.placement import misplaced_slot
from server.services.planning import (
    PLAN_DAYS,
    asset_ref,
    frames_of,
    heard_at,
    publish_plan,
    slots_of,
)
from server.services.texts import is_line
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import AssetRow, ClusterRow, SlotRow, SlotTargetRow

LEAST_GAIN_DB = -60.0

SHORTEST = timedelta(seconds=1)
"""Stands for the length of what is not known yet."""


@dataclass(frozen=True, slots=True)
class NewSlot:
    """A slot as somebody asks for it; times are on the wall in Asia/Ho_Chi_Minh."""

    unit_id: str
    title: str
    bulletin_class: str
    asset_digest: str
    recurrence: str
    local_start: time
    first_day: date
    last_day: date | None = None
    weekdays: int = EVERY_DAY
    pattern: str = ""
    holidays: str = "any"
    units: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    when_cut: str = "rejoin"
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class TimelineSpan:
    """A stretch of a cluster's day: what is heard, and what would be but for it."""

    start: datetime
    end: datetime
    claim: Claim | None
    title: str
    unit_name: str
    bulletin_class: BulletinClass | None
    slot_id: str | None
    losers: tuple[Claim, ...]


def add_slot(
    db: Session,
    new: NewSlot,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    plan_days: int = PLAN_DAYS,
) -> SlotRow:
    """Check a slot, save it, and publish its unit's plan, all or nothing.

    Raises:
        NotAllowedError: The actor may not schedule for the unit.
        SlotRefusedError: With every rule that it breaks; each clash is named.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.SCHEDULE, units.chain(new.unit_id))
    asset = db.get(AssetRow, new.asset_digest) if new.asset_digest else None
    findings = [*_wrong_fields(new, asset, units, now), *_wrong_targets(new, units)]
    if findings or asset is None:
        raise SlotRefusedError(findings)
    slot = _value(new, asset, units, now)
    if slot.rule.next_occurrence(now) is None:
        raise SlotRefusedError([Finding("never")])
    # Two officers at once: the second looks for clashes when the first one's slot is there.
    pass_gate(db, "slots")
    others = slots_of(db, units=units)
    findings = [*_misplaced(db, slot, units, now), *clashes(slot, others, now)]
    if findings:
        raise SlotRefusedError(findings)
    row = _row(slot, new, actor)
    db.add(row)
    db.flush()  # the plan is compiled from the rows
    publish_plan(db, new.unit_id, now=now, keyring=keyring, units=units, days=plan_days)
    audit.record(db, actor=actor, action="add-slot", subject=row.slot_id, now=now, title=new.title)
    events.emit(db, kind="schedule", ref=new.unit_id, now=now)
    return row


def foreseen(new: NewSlot, *, now: datetime, most: int) -> list[datetime]:
    """Tell when a slot that is not saved yet would come next, whatever else is there.

    Raises:
        SlotRefusedError: Its days make no rule, or it would never come.
    """
    findings = _wrong_rule(new) + _wrong_days(new, now)
    if findings:
        raise SlotRefusedError(findings)
    coming = _rule_of(new, SHORTEST).occurrences(now, day_bounds(LAST_DAY)[1])
    starts = [start for start, _ in islice(coming, most)]
    if not starts:
        raise SlotRefusedError([Finding("never")])
    return starts


def withdraw_slot(
    db: Session,
    slot_id: str,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    plan_days: int = PLAN_DAYS,
) -> SlotRow:
    """Take a slot out of all coming plans; what has aired stays on record. Twice is once.

    Raises:
        UnknownThingError: No such slot.
        NotAllowedError: The actor may not schedule for its unit.
    """
    # Locked: of two who withdraw it at once, one does.
    row = db.get(SlotRow, slot_id, options=[selectinload(SlotRow.targets)], with_for_update=True)
    if row is None:
        raise UnknownThingError("slot", slot_id)
    demand(actor, Action.SCHEDULE, tree(db, today=local_day(now)).chain(row.unit_id))
    if row.withdrawn_at is not None:
        return row
    row.withdrawn_at = now
    db.flush()  # the plan is compiled from the rows
    publish_plan(db, row.unit_id, now=now, keyring=keyring, days=plan_days)
    audit.record(db, actor=actor, action="withdraw-slot", subject=slot_id, now=now)
    events.emit(db, kind="schedule", ref=row.unit_id, now=now)
    return row


def day_timeline(db: Session, *, cluster_id: str, day: date, now: datetime) -> list[TimelineSpan]:
    """Work out what one cluster plays on a local day, and what loses to it, and when."""
    units = tree(db, today=day)
    if cluster_id not in units.clusters:
        if db.get(ClusterRow, cluster_id) is None:
            raise UnknownThingError("cluster", cluster_id)
        return []  # it was not there yet, or no more, on that day
    start, end = day_bounds(day)
    heard = heard_at(db, cluster_id, start=start, end=end, now=now, units=units)
    claims = tuple(while_it_sounds(claim) for claim in heard.claims)
    return [
        TimelineSpan(
            span.start,
            span.end,
            span.claim,
            span.claim.title if span.claim else "",
            units.unit(span.claim.unit).name if span.claim else "",
            span.claim.bulletin_class if span.claim else None,
            slot_of_claim(span.claim.claim_id)
            if span.claim and span.claim.kind is ClaimKind.SCHEDULED
            else None,
            tuple(claim for claim in claims if claim.covers(span.start) and claim != span.claim),
        )
        for span in timeline(claims, heard.policy, start, end)
    ]


def while_it_sounds(claim: Claim) -> Claim:
    """Cut off the time in which an announcement may still be begun late: it ends with its words."""
    if claim.kind is ClaimKind.SCHEDULED:
        return claim
    ends = claim.start + timedelta(seconds=length_s(claim.content))
    return msgspec.structs.replace(claim, end=min(claim.end, ends))


def _wrong_fields(
    new: NewSlot, asset: AssetRow | None, units: Tree, now: datetime
) -> list[Finding]:
    findings = []
    if not is_line(new.title):
        findings.append(Finding("bad-title"))
    if not new.asset_digest:
        findings.append(Finding("no-audio"))
    elif asset is None or not may_use(units, asset, new.unit_id):
        findings.append(Finding("unknown-asset", {"digest": new.asset_digest[:64]}))
    if new.bulletin_class not in (BulletinClass.ORDINARY, BulletinClass.PRIORITY):
        # An emergency is never scheduled: it plays at once (Circular 39/2020/TT-BTTTT).
        findings.append(Finding("not-allowed-class", {"class": new.bulletin_class}))
    if new.when_cut not in set(WhenCut):
        findings.append(Finding("bad-when-cut", {"when_cut": new.when_cut[:20]}))
    if not LEAST_GAIN_DB <= new.gain_db <= 0:
        # Nodes refuse a plan whole when one of its claims is louder than full.
        findings.append(Finding("bad-gain"))
    return findings + _wrong_rule(new) + _wrong_days(new, now)


def _wrong_rule(new: NewSlot) -> list[Finding]:
    """Say what makes no recurrence of what was asked for."""
    if new.recurrence not in set(Recurrence):
        return [Finding("bad-recurrence", {"recurrence": new.recurrence[:20]})]
    if new.recurrence == Recurrence.WEEKLY and not 0 < new.weekdays <= EVERY_DAY:
        return [Finding("bad-weekdays")]
    if new.holidays not in set(HolidayChoice):
        return [Finding("bad-holidays")]
    try:
        check(Recurrence(new.recurrence), new.pattern, new.local_start)
    except PatternError as error:
        return [error.finding]
    return []


def _wrong_days(new: NewSlot, now: datetime) -> list[Finding]:
    if not (is_usable(new.first_day) and (new.last_day is None or is_usable(new.last_day))):
        return [Finding("bad-day")]
    findings = []
    if new.last_day is not None and new.last_day < new.first_day:
        findings.append(Finding("days-reversed"))
    last = new.first_day if new.recurrence == Recurrence.ONCE else new.last_day
    if last is not None and datetime.combine(last, new.local_start, LOCAL) < now:
        findings.append(Finding("past", {"day": f"{last:%d/%m/%Y}"}))
    return findings


def _wrong_targets(new: NewSlot, units: Tree) -> list[Finding]:
    inside = set(units.subtree(new.unit_id))
    below = units.clusters_under(new.unit_id)
    outside = [unit for unit in new.units if unit not in inside]
    outside += [cluster for cluster in (*new.clusters, *new.exclude) if cluster not in below]
    if outside:
        return [Finding("out-of-scope", {"targets": ", ".join(outside)})]
    if not chosen(units, units=new.units, clusters=new.clusters, exclude=new.exclude):
        return [Finding("no-target")]
    return []


def _misplaced(db: Session, slot: Slot, units: Tree, now: datetime) -> list[Finding]:
    chains = {units.chain_of_cluster(cluster) for cluster in slot.clusters}
    frames = frames_of(db, {unit for chain in chains for unit in chain})
    return misplaced_slot(slot, chains, frames, units=units, now=now)


def _value(new: NewSlot, asset: AssetRow, units: Tree, now: datetime) -> Slot:
    unit = units.unit(new.unit_id)
    return Slot(
        slot_id=f"s-{uuid.uuid4().hex[:16]}",
        unit_id=new.unit_id,
        unit_name=unit.name,
        level=unit.level_rank,
        title=new.title.strip(),
        bulletin_class=BulletinClass(new.bulletin_class),
        rule=_rule_of(new, timedelta(seconds=asset.duration_s)),
        asset=asset_ref(asset),
        targets=Targets(units=new.units, clusters=new.clusters, exclude=new.exclude),
        clusters=chosen(units, units=new.units, clusters=new.clusters, exclude=new.exclude),
        when_cut=WhenCut(new.when_cut),
        gain_db=new.gain_db,
        created_at=now,
    )


def _rule_of(new: NewSlot, length: timedelta) -> Rule:
    """Make the rule of a slot whose fields are right."""
    recurrence = Recurrence(new.recurrence)
    once = recurrence is Recurrence.ONCE
    return Rule(
        recurrence,
        new.local_start,
        length,
        new.first_day,
        new.first_day if once else new.last_day,
        new.weekdays if recurrence is Recurrence.WEEKLY else EVERY_DAY,
        new.pattern,
        HolidayChoice.ANY if once else HolidayChoice(new.holidays),
    )


def _row(slot: Slot, new: NewSlot, actor: Actor) -> SlotRow:
    picked = {"unit": new.units, "cluster": new.clusters, "except": new.exclude}
    return SlotRow(
        slot_id=slot.slot_id,
        unit_id=slot.unit_id,
        title=slot.title,
        bulletin_class=slot.bulletin_class.value,
        asset_digest=slot.asset.digest,
        recurrence=slot.rule.recurrence.value,
        weekdays=slot.rule.weekdays,
        pattern=slot.rule.pattern,
        holidays=slot.rule.holidays.value,
        local_start=slot.rule.local_start,
        duration_s=slot.rule.length.total_seconds(),
        first_day=slot.rule.first_day,
        last_day=slot.rule.last_day,
        when_cut=slot.when_cut.value,
        gain_db=slot.gain_db,
        created_at=slot.created_at,
        created_by=actor.name,
        targets=[
            SlotTargetRow(kind=kind, ref=ref)
            for kind, refs in picked.items()
            for ref in dict.fromkeys(refs)
        ],
    )
