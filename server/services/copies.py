"""Copy a day or a week of a unit to other days and units: see first what would come of it."""

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, demand
from server.domain.clashes import SlotClashError, clashes, occupant
from server.domain.correspondence import Called, corresponding
from server.domain.errors import DeskRefusedError, Finding, SlotRefusedError
from server.domain.frames import TimeFrame
from server.domain.recurrence import is_usable, local_day
from server.domain.slots import Slot
from server.domain.targeting import chosen, cover
from server.domain.units import Tree
from server.services import audit, clashing, events, guarding
from server.services.desk_changes import record
from server.services.placement import misplaced_slot
from server.services.planning import frames_of, publish_plan
from server.services.slot_hand import Hand, Step
from server.services.slot_moves import comes, once_on
from server.services.slot_requests import NewSlot, as_new, files_of, findings, value_of, write
from server.services.slot_values import read_slots
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import ClusterRow, GroupRow, SlotRow
from server.store.queries.among import among
from server.store.queries.lists import WHOLE_SLOT
from server.store.queries.slots import WantedSlots

MOST_COPIES = 600
LENGTHS = (1, 7)


class CopyReach(StrEnum):
    """Which loudspeakers of another unit a copy goes to."""

    ALL = "all"
    ALIKE = "alike"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be copied where to.

    Attributes:
        days: 1 for a day, 7 for a week.
        to_days: First day of each copy.
        to_units: Units that get it; none: the same one.
        reach: All loudspeakers of other units, or those that correspond to the slot's own.
    """

    unit_id: str
    first: date
    days: int
    to_days: tuple[date, ...]
    to_units: tuple[str, ...] = ()
    reach: CopyReach = CopyReach.ALL


@dataclass(frozen=True, slots=True)
class Line:
    """One slot that would be made, on one day, and what stands against it.

    Attributes:
        clusters: Clusters that it would reach.
        is_whole: Whether these are all of its unit.
    """

    slot: NewSlot
    findings: tuple[Finding, ...]
    clusters: frozenset[str]
    is_whole: bool

    @property
    def is_free(self) -> bool:
        """Whether it can be made."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Draft:
    """What a copy would make.

    Attributes:
        there: How many are left out because the same slot comes there anyway.
    """

    lines: tuple[Line, ...]
    there: int

    @property
    def free(self) -> int:
        """How many can be made."""
        return sum(line.is_free for line in self.lines)


def draft(db: Session, wish: Wish, *, actor: Actor, now: datetime) -> Draft:
    """Say what a copy would make and what stands against it; nothing is saved.

    Raises:
        NotAllowedError: The actor may not see the source, or not schedule for a target.
        DeskRefusedError: It is too much at once.
    """
    return _Judge(db, wish, actor, now).draft()


def copy(hand: Hand, wish: Wish, *, only_free: bool) -> tuple[int, Draft]:
    """Make the copies, all of them or only those that nothing stands against; one undo takes all.

    Raises:
        SlotRefusedError: Something stands against one of them, or against all.
        DeskRefusedError: It is too much at once, or there is nothing to copy.
    """
    pass_gate(hand.db, "slots")
    judge = _Judge(hand.db, wish, hand.actor, hand.now)
    made = judge.draft()
    wrong = [found for line in made.lines for found in line.findings]
    if wrong and (not only_free or not made.free):
        taken = any(found.code == "overlap" for found in wrong)
        raise SlotClashError(wrong, ()) if taken else SlotRefusedError(wrong)
    free = [line.slot for line in made.lines if line.is_free]
    if not free:
        raise DeskRefusedError([Finding("nothing-to-copy")])
    steps = [_save(hand, new, judge.units) for new in free]
    hand.db.flush()  # plans are compiled from the rows
    for step, new in zip(steps, free, strict=True):
        slot = value_of(
            new,
            files_of(hand.db, new),
            judge.units,
            slot_id=step.slot_id,
            created_at=hand.now,
        )
        guarding.hold(hand.db, occupant(slot, new.override), units=judge.units, now=hand.now)
    # In the tree's order, as the scheduler takes them: two may not wait for each other.
    targets = {new.unit_id for new in free}
    for unit_id in (unit for unit in judge.units.units if unit in targets):
        publish_plan(
            hand.db,
            unit_id,
            now=hand.now,
            keyring=hand.keyring,
            units=judge.units,
            days=hand.plan_days,
        )
        events.emit(hand.db, kind="schedule", ref=unit_id, now=hand.now)
    audit.record(
        hand.db,
        actor=hand.actor,
        action="copy-slots",
        subject=wish.unit_id,
        now=hand.now,
        first=wish.first.isoformat(),
        days=wish.days,
        made=len(steps),
    )
    record(hand, "copy", free[0].title, steps)
    return len(steps), made


def _save(hand: Hand, new: NewSlot, units: Tree) -> Step:
    slot_id = f"s-{uuid.uuid4().hex[:16]}"
    files = files_of(hand.db, new)
    row = SlotRow(
        slot_id=slot_id,
        unit_id=new.unit_id,
        created_at=hand.now,
        created_by=hand.actor.name,
        items=[],
        targets=[],
    )
    write(row, new, value_of(new, files, units, slot_id=slot_id, created_at=hand.now), files)
    hand.db.add(row)
    return Step(slot_id, None, new, 0, row.version)


def _called(db: Session, clusters: Collection[str]) -> Called:
    rows = select(ClusterRow.cluster_id, ClusterRow.village, ClusterRow.name)
    names = db.execute(rows.where(among(ClusterRow.cluster_id, clusters)))
    groups = db.execute(select(GroupRow.group_id, GroupRow.name))
    return Called(
        {one: (village, name) for one, village, name in names},
        dict(groups.all()),
    )


class _Judge:
    """Judges copies one after the other, each beside those before it."""

    def __init__(self, db: Session, wish: Wish, actor: Actor, now: datetime) -> None:
        self._db = db
        self._wish = wish
        self._now = now
        self.units = tree(db, today=local_day(now))
        demand(actor, Action.VIEW, self.units.chain(wish.unit_id))
        self._targets = wish.to_units or (wish.unit_id,)
        for unit_id in self._targets:
            demand(actor, Action.SCHEDULE, self.units.chain(unit_id))
        self._there = {one for unit in self._targets for one in self.units.clusters_under(unit)}
        named = {*self._there, *self.units.clusters_under(wish.unit_id)}
        self._called = _called(db, named) if wish.reach is CopyReach.ALIKE else Called({}, {})

    def draft(self) -> Draft:
        wish = self._wish
        days = [*wish.to_days, wish.first]
        if wish.days not in LENGTHS or not all(is_usable(day) for day in days):
            raise DeskRefusedError([Finding("bad-day")])
        wanted = list(self._wanted())
        if len(wanted) > MOST_COPIES:
            raise DeskRefusedError([Finding("too-many-copies", {"most": str(MOST_COPIES)})])
        missing = [new for new in wanted if new is not None]
        return Draft(tuple(self._judged(missing)), len(wanted) - len(missing))

    def _wanted(self) -> Iterator[NewSlot | None]:
        """Yield each copy; None: the same slot comes there anyway."""
        last = self._wish.first + timedelta(days=self._wish.days - 1)
        rows = self._db.scalars(
            select(SlotRow)
            .where(
                SlotRow.unit_id == self._wish.unit_id,
                SlotRow.withdrawn_at.is_(None),
                SlotRow.first_day <= last,
                or_(SlotRow.last_day.is_(None), SlotRow.last_day >= self._wish.first),
            )
            .options(*WHOLE_SLOT)
            .order_by(SlotRow.local_start, SlotRow.slot_id)
        )
        source = [as_new(row) for row in rows]
        for to_unit in self._targets:
            for to_day in self._wish.to_days:
                yield from self._one_copy(source, to_unit, to_day)

    def _one_copy(
        self, source: Sequence[NewSlot], to_unit: str, to_day: date
    ) -> Iterator[NewSlot | None]:
        for ahead in range(self._wish.days):
            was, day = (first + timedelta(days=ahead) for first in (self._wish.first, to_day))
            for slot in source:
                if not comes(slot, was):
                    continue
                there = to_unit == slot.unit_id and comes(slot, day)
                yield None if there else self._given_to(once_on(slot, day), to_unit)

    def _given_to(self, slot: NewSlot, to_unit: str) -> NewSlot:
        if to_unit == slot.unit_id:
            return slot
        # What was chosen in one unit means nothing in another, but by its names.
        given = replace(slot, unit_id=to_unit, groups=(), clusters=(), exclude=(), override=())
        meant = self._meant(slot, to_unit)
        if meant == self.units.clusters_under(to_unit):
            return replace(given, units=(to_unit,))
        words = cover(self.units, to_unit, meant)
        return replace(given, units=words.units, clusters=words.clusters)

    def _meant(self, slot: NewSlot, to_unit: str) -> frozenset[str]:
        """Find the clusters of another unit that a slot goes to there, whatever is spoken."""
        whole = frozenset(self.units.clusters_under(to_unit))
        if self._wish.reach is CopyReach.ALL:
            return whole
        picked = self._reached(replace(slot, languages=()))
        if picked >= self.units.clusters_under(slot.unit_id):
            return whole
        return corresponding(
            self.units, self._called, meant=picked, groups=slot.groups, to_unit=to_unit
        )

    def _reached(self, slot: NewSlot) -> frozenset[str]:
        known = self.units
        return chosen(
            known,
            units=[one for one in slot.units if one in known.units],
            clusters=[one for one in slot.clusters if one in known.clusters],
            exclude=slot.exclude,
            groups=[one for one in slot.groups if one in known.groups],
            languages=slot.languages,
        )

    def _judged(self, wanted: Sequence[NewSlot]) -> Iterator[Line]:
        above = {
            upper
            for unit in {self.units.clusters[one] for one in self._there}
            for upper in self.units.chain(unit)
        }
        groups = {one for one, members in self.units.groups.items() if members & self._there}
        wanted_slots = WantedSlots(refs={*above, *groups, *self._there})
        standing = read_slots(self._db, wanted_slots, self.units)
        others = [occupant(slot) for slot in standing if slot.clusters & self._there]
        frames = frames_of(self._db, above)
        for number, new in enumerate(wanted):
            reached = self._reached(new)
            if not (new.units or new.groups or new.clusters):
                nowhere = Finding("copy-nowhere", {"unit": self.units.unit(new.unit_id).name})
                yield Line(new, (nowhere,), reached, is_whole=False)
                continue
            files = files_of(self._db, new)
            wrong = findings(new, files, self.units, self._now)
            if not wrong:
                slot = value_of(
                    new, files, self.units, slot_id=f"new-{number}", created_at=self._now
                )
                found = clashes(occupant(slot), others, self._now)
                wrong = [*self._misplaced(slot, frames), *clashing.sentences(self._db, found)]
                if not wrong:
                    others.append(occupant(slot))
            is_whole = reached >= self.units.clusters_under(new.unit_id)
            yield Line(new, tuple(wrong), reached, is_whole=is_whole)

    def _misplaced(self, slot: Slot, frames: Sequence[TimeFrame]) -> list[Finding]:
        chains = {self.units.chain_of_cluster(cluster) for cluster in slot.clusters}
        return misplaced_slot(slot, chains, frames, units=self.units, now=self._now)
