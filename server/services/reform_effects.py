"""What a reform does besides to slots, hours, rights, groups and files: worked out, not done."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.domain.bulletins import Answer, State
from server.domain.recurrence import day_bounds
from server.domain.reform_slots import Collision, Retargeted, SlotFate, collisions, fate, reach
from server.domain.reforms import END, FOLLOW, Drawing, Proposal, Way
from server.domain.slots import Slot
from server.services.planning import frame_value, slots_of
from server.services.reform_contacts import ContactFate, RuleFate, contact_fates, rule_fates
from server.services.reform_silence import Silenced, silenced
from server.services.slot_values import slot_value
from server.store.models import (
    AssetRow,
    BulletinCopyRow,
    BulletinRow,
    FrameRow,
    GrantRow,
    GroupRow,
    SlotRow,
    SlotTargetRow,
    UserRow,
)
from server.store.queries.among import among
from server.store.queries.lists import WHOLE_SLOT

PASSED_UP = frozenset({"programme", "announcement"})
"""Purposes of files that go to the unit above when several units take over: a chime or a prepared
warning would become everybody's there."""


@dataclass(frozen=True, slots=True)
class FrameFate:
    """Hours of a unit that ends, laid down by it or given to it; ``to`` is empty when they end."""

    frame_id: str
    unit_id: str
    hours: str
    quiet: bool
    laid_down_by: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GrantFate:
    """What somebody was granted at a unit that ends, and where they have it afterwards."""

    user_id: int
    username: str
    full_name: str
    role: str
    unit_id: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupFate:
    """A group that a unit that ends looks after, and who does afterwards."""

    group_id: str
    name: str
    unit_id: str
    to: str


@dataclass(frozen=True, slots=True)
class AssetFate:
    """An audio file of a unit that ends; ``to`` is empty when nobody may use it any more."""

    digest: str
    unit_id: str
    to: str


@dataclass(frozen=True, slots=True)
class LetterFate:
    """A bulletin that waits at a unit that ends; ``to`` is empty when nobody takes over."""

    bulletin_id: str
    title: str
    unit_id: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class Effects:
    """All of it.

    Attributes:
        turns: New units that take turns on air, as all did whose slots pass to them.
    """

    slots: tuple[SlotFate, ...] = ()
    collisions: tuple[Collision, ...] = ()
    reaches: tuple[Retargeted, ...] = ()
    silenced: tuple[Silenced, ...] = ()
    frames: tuple[FrameFate, ...] = ()
    grants: tuple[GrantFate, ...] = ()
    groups: tuple[GroupFate, ...] = ()
    turns: tuple[str, ...] = ()
    assets: tuple[AssetFate, ...] = ()
    letters: tuple[LetterFate, ...] = ()
    contacts: tuple[ContactFate, ...] = ()
    rules: tuple[RuleFate, ...] = ()
    ways: Mapping[str, Way] = field(default_factory=dict)

    def ending(self) -> tuple[SlotFate, ...]:
        """Slots that end with their unit."""
        return tuple(one for one in self.slots if not one.passed)


def effects(db: Session, drawing: Drawing, proposal: Proposal, *, now: datetime) -> Effects:
    """Work out what a reform does besides, from what there is now."""
    ways = {way.unit_id: way for way in proposal.ways if way.unit_id in drawing.ended}
    day = proposal.valid_from
    fates = [
        fate(
            slot,
            drawing,
            ways[slot.unit_id],
            day=day,
            ends=slot.slot_id in proposal.ended_slots,
        )
        for slot in _slots_from(db, drawing, day)
    ]
    since = max(now, day_bounds(day)[0])
    reaching = tuple(reaches(db, drawing))
    collided: list[Collision] = []
    if any(one.passed for one in fates):
        known = slots_of(db, units=drawing.before)
        standing = slots_of(db, units=drawing.after)
        collided = collisions(fates, standing, known, since)
    return Effects(
        slots=tuple(fates),
        collisions=tuple(collided),
        reaches=reaching,
        silenced=tuple(silenced(db, drawing, fates, reaching, now=since)),
        frames=tuple(_frames(db, drawing)),
        grants=tuple(_grants(db, drawing, ways)),
        groups=tuple(_groups(db, drawing, proposal.under)),
        turns=tuple(_turns(drawing)),
        assets=tuple(_assets(db, drawing, proposal.under)),
        letters=tuple(_letters(db, drawing, now)),
        contacts=tuple(contact_fates(db, drawing, proposal.under)),
        rules=tuple(rule_fates(db, drawing)),
        ways=ways,
    )


def summary(drawing: Drawing, found: Effects) -> dict[str, dict[str, str]]:
    """Boil down what somebody is shown, so that it can be told later what has changed."""
    return {
        "units": {
            **{new.unit_id: f"{new.name}/{new.parent_id}" for new in drawing.born},
            **dict.fromkeys(drawing.ended, END),
            **{move.cluster_id: move.after for move in drawing.reparented},
        },
        "clusters": {move.cluster_id: f"{move.before} {move.after}" for move in drawing.moves},
        "slots": {
            one.slot.slot_id: f"{one.slot.title} {','.join(to.unit_id for to in one.passed)}"
            for one in found.slots
        },
        "reaches": {one.slot.slot_id: f"{one.slot.title} {len(one.lost)}" for one in found.reaches},
        "silenced": {
            one.slot.slot_id: f"{one.slot.title} {len(one.clusters)}" for one in found.silenced
        },
        "hours": {one.frame_id: f"{one.hours} {','.join(one.to)}" for one in found.frames},
        "people": {
            f"{one.username} {one.role} {one.unit_id}": ",".join(one.to) for one in found.grants
        },
        "groups": {one.group_id: one.to for one in found.groups},
        "turns": dict.fromkeys(found.turns, "on"),
    }


def digest(said: Mapping[str, Mapping[str, str]]) -> str:
    """Name a summary."""
    text = json.dumps(said, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def changed(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> dict[str, list[str]]:
    """Tell, kind by kind, about what two summaries do not say the same."""
    found = {}
    for kind in sorted({*before, *after}):
        one, other = before.get(kind, {}), after.get(kind, {})
        differing = sorted(ref for ref in {*one, *other} if one.get(ref) != other.get(ref))
        if differing:
            found[kind] = differing
    return found


def reaches(db: Session, drawing: Drawing) -> Iterable[Retargeted]:
    """Find the slots of units that live on whose targets change under them."""
    left = set(drawing.ended)
    for move in drawing.moves:
        left.update(drawing.before.chain(move.before))
    for one in drawing.reparented:
        left.update(drawing.before.chain(one.cluster_id))
    wanted = (
        select(SlotRow)
        .join(SlotTargetRow, SlotTargetRow.slot_id == SlotRow.slot_id)
        .where(SlotRow.withdrawn_at.is_(None), SlotRow.unit_id.not_in(drawing.ended))
        .where(SlotTargetRow.kind == "unit", among(SlotTargetRow.ref, left))
        .options(*WHOLE_SLOT)
        .order_by(SlotRow.slot_id)
        .distinct()
    )
    for row in db.scalars(wanted):
        if row.unit_id in drawing.before.units:
            before, after = slot_value(row, drawing.before), slot_value(row, drawing.after)
            if (found := reach(before, after, drawing)) is not None:
                yield found


def _slots_from(db: Session, drawing: Drawing, day: date) -> list[Slot]:
    rows = (
        select(SlotRow)
        .where(among(SlotRow.unit_id, drawing.ended), SlotRow.withdrawn_at.is_(None))
        .where(or_(SlotRow.last_day.is_(None), SlotRow.last_day >= day))
        .options(*WHOLE_SLOT)
        .order_by(SlotRow.local_start, SlotRow.slot_id)
    )
    return [slot_value(row, drawing.before) for row in db.scalars(rows)]


def _frames(db: Session, drawing: Drawing) -> Iterable[FrameFate]:
    """Hours bind all of a unit, so its own pass only to new units made of nothing but it."""
    rows = (
        select(FrameRow)
        .where(FrameRow.withdrawn_at.is_(None))
        .where(among(FrameRow.unit_id, drawing.ended) | among(FrameRow.owner_id, drawing.ended))
        .order_by(FrameRow.unit_id, FrameRow.local_start, FrameRow.frame_id)
    )
    for row in db.scalars(rows):
        own = row.unit_id in drawing.ended
        concerned = row.unit_id if own else row.owner_id or ""
        takers = drawing.takers(concerned)
        to = _made_of(drawing, concerned) if own else takers if len(takers) == 1 else ()
        value = frame_value(row)
        yield FrameFate(row.frame_id, concerned, value.hours, value.quiet, row.unit_id, to)


def _made_of(drawing: Drawing, unit_id: str) -> tuple[str, ...]:
    """List the new units all of whose clusters were a unit's."""
    own = frozenset(drawing.before.clusters_under(unit_id))
    return tuple(
        new.unit_id
        for new in drawing.born
        if (under := drawing.after.clusters_under(new.unit_id)) and under <= own
    )


def _grants(db: Session, drawing: Drawing, ways: Mapping[str, Way]) -> Iterable[GrantFate]:
    rows = (
        select(GrantRow, UserRow)
        .join(UserRow, UserRow.id == GrantRow.user_id)
        .where(among(GrantRow.unit_id, drawing.ended))
        .order_by(GrantRow.unit_id, UserRow.username, GrantRow.role)
    )
    for grant, user in db.execute(rows):
        people = ways[grant.unit_id].people
        to = drawing.takers(grant.unit_id) if people == FOLLOW else (people,)
        yield GrantFate(
            user.id,
            user.username,
            user.full_name,
            grant.role,
            grant.unit_id,
            () if people == END else to,
        )


def _groups(db: Session, drawing: Drawing, under: str) -> Iterable[GroupFate]:
    rows = (
        select(GroupRow).where(among(GroupRow.unit_id, drawing.ended)).order_by(GroupRow.group_id)
    )
    for row in db.scalars(rows):
        takers = drawing.takers(row.unit_id)
        to = takers[0] if len(takers) == 1 else under
        yield GroupFate(row.group_id, row.name, row.unit_id, to)


def _turns(drawing: Drawing) -> Iterable[str]:
    for new in drawing.born:
        before = [unit for unit in drawing.ended if new.unit_id in drawing.takers(unit)]
        if before and all(drawing.before.unit(unit).takes_turns for unit in before):
            yield new.unit_id


def _assets(db: Session, drawing: Drawing, under: str) -> Iterable[AssetFate]:
    rows = select(AssetRow.digest, AssetRow.unit_id, AssetRow.purpose).where(
        among(AssetRow.unit_id, drawing.ended)
    )
    for digest_, unit_id, purpose in db.execute(rows.order_by(AssetRow.digest)):
        takers = drawing.takers(unit_id)
        shared = under if purpose in PASSED_UP else ""
        yield AssetFate(digest_, unit_id, takers[0] if len(takers) == 1 else shared)


def _letters(db: Session, drawing: Drawing, now: datetime) -> Iterable[LetterFate]:
    """Find what still waits for an answer, or for a place: those who take over are asked then."""
    pulled = (BulletinCopyRow.answer == Answer.TAKEN) & SlotRow.withdrawn_at.is_not(None)
    rows = (
        select(BulletinRow.bulletin_id, BulletinRow.title, BulletinCopyRow.unit_id)
        .join(BulletinCopyRow, BulletinCopyRow.bulletin_id == BulletinRow.bulletin_id)
        .outerjoin(SlotRow, SlotRow.slot_id == BulletinCopyRow.slot_id)
        .where(
            among(BulletinCopyRow.unit_id, drawing.ended),
            BulletinCopyRow.sounded == 0,
            or_(BulletinCopyRow.answer.in_((Answer.WAITING, Answer.UNPLACED)), pulled),
            BulletinRow.state == State.SENT,
            BulletinRow.deadline > now,
        )
        .order_by(BulletinRow.bulletin_id, BulletinCopyRow.unit_id)
    )
    for bulletin_id, title, unit_id in db.execute(rows):
        yield LetterFate(bulletin_id, title, unit_id, drawing.takers(unit_id))
