"""Slots: check, save, change and withdraw one, and show what a cluster will play on a day."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

import msgspec
from sqlalchemy.orm import Session

from protocol.content import length_s
from protocol.messages import BulletinClass, Claim, ClaimKind
from protocol.plan import heard_among
from server.domain.authority import Action, Actor, demand
from server.domain.clashes import SlotClashError, occupant
from server.domain.errors import Finding, SlotRefusedError, StaleError, UnknownThingError
from server.domain.recurrence import day_bounds, local_day
from server.domain.rrules import LAST_DAY
from server.domain.slots import ContentKind, Slot, slot_of_claim
from server.domain.turn_taking import Sharing
from server.domain.units import Tree
from server.services import audit, clashing, events, guarding, overriding
from server.services.keyring import Keyring
from server.services.placement import misplaced_slot
from server.services.planning import (
    PLAN_DAYS,
    Heard,
    frames_of,
    heard_by,
    publish_plan,
)
from server.services.slot_requests import (
    NewSlot,
    as_new,
    files_of,
    findings,
    rule_of,
    value_of,
    write,
    wrong_days,
    wrong_rule,
)
from server.services.turn_taking import sharing_of
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import AssetRow, ClusterRow, SlotRow
from server.store.queries.lists import WHOLE_SLOT

__all__ = [
    "NewSlot",
    "TimelineSpan",
    "add_slot",
    "as_new",
    "check_slot",
    "day_timeline",
    "foreseen",
    "sharing_foreseen",
    "slack_s",
    "spans_of",
    "to_be_changed",
    "update_slot",
    "withdraw_slot",
]

NEW = "new"
"""Stands for the id of a slot that is only being checked; ids of slots begin with ``s-``."""

SHORTEST = timedelta(seconds=1)
"""Stands for the length of what is not known yet."""


class TimelineSpan(NamedTuple):
    """A stretch of a cluster's day: what is heard, and what would be but for it.

    A plain tuple: a week has hundreds of them, made anew for whoever looks.
    """

    start: datetime
    end: datetime
    claim: Claim | None
    unit_name: str
    losers: tuple[Claim, ...]

    @property
    def title(self) -> str:
        """What is heard; empty where nothing is."""
        return "" if self.claim is None else self.claim.title

    @property
    def bulletin_class(self) -> BulletinClass | None:
        """Its class."""
        return None if self.claim is None else self.claim.bulletin_class

    @property
    def slot_id(self) -> str | None:
        """Slot of which it is, if it is of any."""
        if self.claim is None or self.claim.kind is not ClaimKind.SCHEDULED:
            return None
        return slot_of_claim(self.claim.claim_id)


def check_slot(
    db: Session,
    new: NewSlot,
    *,
    now: datetime,
    actor: Actor,
    replacing: str = "",
    units: Tree | None = None,
) -> list[Finding]:
    """Say everything that stands against saving a slot, in place of one or as a new one.

    Raises:
        NotAllowedError: The actor may not schedule for the unit.
    """
    units = units or tree(db, today=local_day(now))
    try:
        _accepted(db, new, now=now, actor=actor, units=units, slot_id=replacing or NEW)
    except SlotRefusedError as refused:
        return list(refused.findings)
    return []


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
    # Two officers at once: the second looks for clashes when the first one's slot is there.
    pass_gate(db, "slots")
    units = tree(db, today=local_day(now))
    slot_id = f"s-{uuid.uuid4().hex[:16]}"
    slot, files = _accepted(db, new, now=now, actor=actor, units=units, slot_id=slot_id)
    row = SlotRow(
        slot_id=slot_id,
        unit_id=new.unit_id,
        created_at=now,
        created_by=actor.name,
        items=[],
        targets=[],
    )
    write(row, new, slot, files)
    db.add(row)
    db.flush()  # the plan is compiled from the rows
    guarding.hold(db, occupant(slot, new.override), units=units, now=now)
    publish_plan(db, new.unit_id, now=now, keyring=keyring, units=units, days=plan_days)
    over = overriding.told(db, new, units=units, now=now)
    audit.record(
        db, actor=actor, action="add-slot", subject=row.slot_id, now=now, title=new.title, **over
    )
    events.emit(db, kind="schedule", ref=new.unit_id, now=now)
    return row


def update_slot(
    db: Session,
    slot_id: str,
    new: NewSlot,
    *,
    version: int,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    plan_days: int = PLAN_DAYS,
) -> SlotRow:
    """Change a slot as if it were asked for anew; what has aired stays on record.

    Raises:
        UnknownThingError: No such slot, or it has been withdrawn.
        NotAllowedError: The actor may not schedule for its unit.
        StaleError: Somebody else has changed it since ``version``.
        SlotRefusedError: With every rule that it breaks; each clash is named.
    """
    pass_gate(db, "slots")
    # Locked: of two who change it at once, the second is told.
    row = db.get(SlotRow, slot_id, options=WHOLE_SLOT, with_for_update=True)
    if row is None or row.withdrawn_at is not None:
        raise UnknownThingError("slot", slot_id)
    units = tree(db, today=local_day(now))
    demand(actor, Action.SCHEDULE, units.chain(row.unit_id))
    if row.version != version:
        raise StaleError("slot", slot_id)
    if new.unit_id != row.unit_id:
        raise SlotRefusedError([Finding("other-unit")])
    before = as_new(row)
    slot, files = _accepted(db, new, now=now, actor=actor, units=units, slot_id=slot_id)
    write(row, new, replace(slot, version=version + 1), files)
    row.changed_at = now
    db.flush()  # the plan is compiled from the rows
    guarding.hold(db, occupant(slot, new.override), units=units, now=now)
    publish_plan(db, row.unit_id, now=now, keyring=keyring, units=units, days=plan_days)
    changed = sorted(
        name for name in NewSlot.__slots__ if getattr(before, name) != getattr(new, name)
    )
    over = overriding.told(db, new, units=units, now=now)
    audit.record(
        db, actor=actor, action="change-slot", subject=slot_id, now=now, changed=changed, **over
    )
    events.emit(db, kind="schedule", ref=row.unit_id, now=now)
    return row


def _accepted(
    db: Session, new: NewSlot, *, now: datetime, actor: Actor, units: Tree, slot_id: str
) -> tuple[Slot, Mapping[str, AssetRow]]:
    """Judge a slot; give its value, and the files that it names, by digest."""
    demand(actor, Action.SCHEDULE, units.chain(new.unit_id))
    files = files_of(db, new)
    wrong = findings(new, files, units, now)
    if wrong:
        raise SlotRefusedError(wrong)
    slot = value_of(new, files, units, slot_id=slot_id, created_at=now)
    if slot.rule.next_occurrence(now) is None:
        raise SlotRefusedError([Finding("never")])
    wrong = _misplaced(db, slot, units, now)
    wanted = occupant(slot, new.override)
    found = clashing.in_the_way(db, wanted, units=units, now=now, actor=actor)
    if found:
        raise SlotClashError([*wrong, *clashing.sentences(db, found)], found)
    if wrong:
        raise SlotRefusedError(wrong)
    return slot, files


def slack_s(db: Session, new: NewSlot) -> float | None:
    """Tell how much longer a slot would last than its files, in seconds; negative: it is cut.

    None when it lasts just as long, or when that cannot be said of what fills it.
    """
    files = files_of(db, new)
    if new.length_s is None or not new.assets or files.keys() < set(new.assets):
        return None
    slack = new.length_s - sum(files[digest].duration_s for digest in new.assets)
    return slack if abs(slack) >= SHORTEST.total_seconds() else None


def to_be_changed(db: Session, row: SlotRow) -> NewSlot:
    """Turn a saved slot into what one would ask for to have it so.

    One that lasts just as long as its files is asked for so: files seldom last whole seconds.
    """
    new = as_new(row)
    files = files_of(db, new)
    if new.content_kind != ContentKind.FILES or files.keys() < set(new.assets):
        return new
    filled = timedelta(seconds=sum(files[digest].duration_s for digest in new.assets))
    return replace(new, length_s=None) if filled == timedelta(seconds=row.duration_s) else new


def sharing_foreseen(db: Session, new: NewSlot, *, now: datetime, units: Tree) -> Sharing | None:
    """Tell how the time of a slot that is not saved yet would be shared out among turns.

    None where all sound it at once anyway, or where too little is known of it.
    """
    if not units.unit(new.unit_id).takes_turns:
        return None
    named = replace(new, title=new.title.strip() or NEW)
    files = files_of(db, new)
    if findings(named, files, units, now):
        return None
    slot = value_of(named, files, units, slot_id=NEW, created_at=now)
    return sharing_of(db, slot, units)


def foreseen(new: NewSlot, *, now: datetime, most: int) -> list[datetime]:
    """Tell when a slot that is not saved yet would come next, whatever else is there.

    Raises:
        SlotRefusedError: Its days make no rule, or it would never come.
    """
    wrong = wrong_rule(new) + wrong_days(new, now)
    if wrong:
        raise SlotRefusedError(wrong)
    coming = rule_of(new, SHORTEST).occurrences(now, day_bounds(LAST_DAY)[1])
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
    row = db.get(SlotRow, slot_id, options=WHOLE_SLOT, with_for_update=True)
    if row is None:
        raise UnknownThingError("slot", slot_id)
    demand(actor, Action.SCHEDULE, tree(db, today=local_day(now)).chain(row.unit_id))
    if row.withdrawn_at is not None:
        return row
    row.withdrawn_at = now
    guarding.release(db, slot_id)
    db.flush()  # the plan is compiled from the rows
    publish_plan(db, row.unit_id, now=now, keyring=keyring, days=plan_days)
    audit.record(db, actor=actor, action="withdraw-slot", subject=slot_id, now=now)
    events.emit(db, kind="schedule", ref=row.unit_id, now=now)
    return row


def day_timeline(db: Session, *, cluster_id: str, day: date, now: datetime) -> list[TimelineSpan]:
    """Work out what one cluster plays on a local day, and what loses to it, and when."""
    start, end = day_bounds(day)
    return cluster_timeline(db, cluster_id=cluster_id, start=start, end=end, now=now)


def cluster_timeline(
    db: Session, *, cluster_id: str, start: datetime, end: datetime, now: datetime
) -> list[TimelineSpan]:
    """Work out what one cluster plays from ``start`` to ``end``, under the units of its first day.

    Raises:
        UnknownThingError: There has never been such a cluster.
    """
    units = tree(db, today=local_day(start))
    if cluster_id not in units.clusters and db.get(ClusterRow, cluster_id) is None:
        raise UnknownThingError("cluster", cluster_id)
    found = timelines(db, [cluster_id], start=start, end=end, now=now, units=units)
    return found[cluster_id]


def timelines(
    db: Session,
    cluster_ids: Iterable[str],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
    units: Tree,
) -> dict[str, list[TimelineSpan]]:
    """Work out what each of some clusters plays, and what loses to it.

    Nothing is heard at a cluster that is not there yet, or no more. Those that go by the same share
    one answer.
    """
    asked = list(cluster_ids)
    there = [one for one in asked if one in units.clusters]
    found: dict[str, list[TimelineSpan]] = {one: [] for one in asked}
    alike: dict[tuple[object, ...], list[TimelineSpan]] = {}
    heard = heard_by(db, there, start=start, end=end, now=now, units=units)
    for cluster_id, goes_by in heard.items():
        names = tuple((claim.unit, claim.claim_id) for claim in goes_by.claims)
        # Where they take turns, one claim has another time at each.
        starts = tuple(claim.start for claim in goes_by.claims) if units.takes_turns else ()
        key = (units.clusters[cluster_id], names, starts)
        if key not in alike:
            alike[key] = spans_of(goes_by, start, end, units)
        found[cluster_id] = alike[key]
    return found


def spans_of(heard: Heard, start: datetime, end: datetime, units: Tree) -> list[TimelineSpan]:
    """Work out what is heard where one goes by this, and what loses to it."""
    claims, policy = tuple(while_it_sounds(claim) for claim in heard.claims), heard.policy
    spans = []
    for begins, ends, claim, around in heard_among(claims, policy, start, end):
        name, losers = "", around
        if claim is not None:
            name = units.unit(claim.unit).name
            losers = [one for one in around if one is not claim] if len(around) > 1 else ()
        if policy.stops:
            losers = [one for one in losers if not policy.is_stopped(one, begins)]
        spans.append(TimelineSpan(begins, ends, claim, name, tuple(losers)))
    return spans


def while_it_sounds(claim: Claim) -> Claim:
    """Cut off the time in which an announcement may still be begun late: it ends with its words."""
    if claim.kind is ClaimKind.SCHEDULED:
        return claim
    ends = claim.start + timedelta(seconds=length_s(claim.content))
    return msgspec.structs.replace(claim, end=min(claim.end, ends))


def _misplaced(db: Session, slot: Slot, units: Tree, now: datetime) -> list[Finding]:
    chains = {units.chain(unit) for unit in {units.clusters[one] for one in slot.clusters}}
    frames = frames_of(db, {unit for chain in chains for unit in chain})
    return misplaced_slot(slot, chains, frames, units=units, now=now)
