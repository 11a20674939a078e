"""What becomes of slots when units end: who they pass to, and whom they still reach."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from protocol.messages import Targets
from server.domain.clashes import Occupant, clashes, occupant
from server.domain.recurrence import Recurrence, Rule
from server.domain.reforms import END, FOLLOW, Drawing, Way
from server.domain.rrules import LAST_DAY
from server.domain.slots import Slot
from server.domain.targeting import cover
from server.domain.units import Tree

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SlotFate:
    """A slot of a unit that ends.

    Attributes:
        slot: As it is until then.
        passed: What it becomes at each unit that takes it over; none: it ends.
        lost: Clusters that it reaches until then and nothing of it afterwards.
    """

    slot: Slot
    passed: tuple[Slot, ...]
    lost: frozenset[str]


@dataclass(frozen=True, slots=True)
class Retargeted:
    """A slot of a unit that lives on, whose targets are no longer what they were.

    Attributes:
        added: What it is to target besides, so that it reaches whom it reached.
        lost: Clusters that are no longer under its unit: it does not reach them any more.
    """

    slot: Slot
    added: Targets
    lost: frozenset[str]


@dataclass(frozen=True, slots=True)
class Collision:
    """A slot that passes on, and one that wants the same clusters at the same time."""

    slot: Slot
    other: Slot
    clusters: frozenset[str]


def fate(slot: Slot, drawing: Drawing, way: Way, *, day: date, ends: bool) -> SlotFate:
    """Say what becomes of a slot of a unit that ends on a day."""
    rule = None if ends or way.slots == END else carried_on(slot.rule, day)
    takers = drawing.takers(slot.unit_id) if way.slots == FOLLOW else (way.slots,)
    passed = () if rule is None else tuple(_passed(slot, rule, drawing.after, takers, day))
    reached = frozenset[str]().union(*(one.clusters for one in passed))
    return SlotFate(slot, passed, slot.clusters - reached)


def carried_on(rule: Rule, day: date) -> Rule | None:
    """Give the part of a rule that lies on or after a day; None: there is none."""
    if rule.first_day >= day:
        return rule
    if rule.recurrence is Recurrence.RRULE:
        # It counts and steps from its first day, so that must stay.
        gone = frozenset(rule.days(rule.first_day, day - _A_DAY))
        later = replace(rule, excluded=rule.excluded | gone)
    else:
        later = replace(rule, first_day=day)
    return None if next(later.days(day, LAST_DAY), None) is None else later


def reach(before: Slot, after: Slot, drawing: Drawing) -> Retargeted | None:
    """Say how a slot that lives on goes on reaching the clusters that it reached; None: it does."""
    missed = before.clusters - after.clusters
    if not missed:
        return None
    kept = missed & drawing.after.clusters_under(after.unit_id)
    words = cover(drawing.after, after.unit_id, kept)
    return Retargeted(before, Targets(units=words.units, clusters=words.clusters), missed - kept)


def collisions(
    fates: Iterable[SlotFate], standing: Iterable[Slot], known: Iterable[Slot], now: datetime
) -> list[Collision]:
    """Name the slots that pass on into the time of others; what lay over each other before may.

    Args:
        fates: What becomes of the slots of units that end.
        standing: Slots of the units that live on, as they are afterwards.
        known: All slots as they are until then.
        now: From when on it matters.
    """
    index = _Index(standing)
    earlier = {slot.slot_id: slot for slot in known}
    found = []
    for one in fates:
        for passed in one.passed:
            near = index.near(passed)
            for clash in clashes(occupant(passed), index.occupants(near), now):
                other = near[clash.other.slot_id]
                if not _lay_over(one.slot, other, earlier, now):
                    shared = passed.clusters & other.clusters
                    found.append(Collision(one.slot, other, shared))
            index.add(passed)
    return found


def _lay_over(slot: Slot, other: Slot, earlier: dict[str, Slot], now: datetime) -> bool:
    was = earlier.get(other.slot_id)
    return was is not None and _clash(slot, was, now)


def _clash(one: Slot, other: Slot, now: datetime) -> bool:
    return bool(clashes(occupant(one), [occupant(other)], now))


class _Index:
    """Finds the slots that share a cluster with another."""

    def __init__(self, slots: Iterable[Slot]) -> None:
        self._by_cluster: dict[str, list[Slot]] = {}
        self._occupants: dict[str, Occupant] = {}
        for slot in slots:
            self.add(slot)

    def add(self, slot: Slot) -> None:
        """Let later ones find it."""
        self._occupants[slot.slot_id] = occupant(slot)
        for cluster in slot.clusters:
            self._by_cluster.setdefault(cluster, []).append(slot)

    def near(self, slot: Slot) -> dict[str, Slot]:
        """Find each by its id."""
        return {
            other.slot_id: other
            for cluster in slot.clusters
            for other in self._by_cluster.get(cluster, ())
        }

    def occupants(self, slots: Iterable[str]) -> list[Occupant]:
        """Tell of slots that it knows what matters to others."""
        return [self._occupants[slot] for slot in slots]


def _passed(
    slot: Slot, rule: Rule, after: Tree, takers: Iterable[str], day: date
) -> Iterator[Slot]:
    for taker in takers:
        clusters = slot.clusters & after.clusters_under(taker)
        if not clusters:
            continue
        words = cover(after, taker, clusters)
        unit = after.unit(taker)
        yield replace(
            slot,
            slot_id=_id(slot.slot_id, taker, day),
            unit_id=taker,
            unit_name=unit.name,
            level=unit.level_rank,
            rule=rule,
            targets=Targets(units=words.units, clusters=words.clusters),
            clusters=clusters,
        )


def _id(slot_id: str, taker: str, day: date) -> str:
    """Name what a slot becomes: whoever works it out again comes to the same id."""
    made = hashlib.sha256(f"{slot_id} {taker} {day:%Y-%m-%d}".encode())
    return f"s-{made.hexdigest()[:16]}"
