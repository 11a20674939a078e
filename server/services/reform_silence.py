"""Programmes that a reform silences: their clusters come under the quiet hours of another unit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from server.domain.frames import TimeFrame
from server.domain.reform_slots import Retargeted, SlotFate
from server.domain.reforms import Drawing
from server.domain.slots import Slot
from server.domain.units import Tree
from server.services.placement import misplaced_slot
from server.services.planning import frames_of, slots_of

_Chain = tuple[str, ...]
_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Silenced:
    """A slot that is not heard any more at some clusters.

    Attributes:
        hours: The quiet hours there, in figures.
        clusters: Where it was heard, and will be silent although it goes on reaching them.
    """

    slot: Slot
    hours: tuple[str, ...]
    clusters: frozenset[str]


def silenced(
    db: Session,
    drawing: Drawing,
    fates: Sequence[SlotFate],
    reaches: Iterable[Retargeted],
    *,
    now: datetime,
) -> Iterator[Silenced]:
    """Find the slots that lie in quiet hours where their clusters go, and did not before.

    Args:
        db: The transaction.
        drawing: The tree before and after.
        fates: What becomes of slots of units that end.
        reaches: Slots of others that go on reaching what they reached, or lose some of it.
        now: From when on it counts.
    """
    laid_down = frames_of(db, {*drawing.before.units, *drawing.after.units})
    quiet = [frame for frame in laid_down if frame.quiet]
    passages = _passages(drawing, {frame.unit_id for frame in quiet})
    if not passages:
        return
    for before, after, kept in _pairs(db, drawing, fates, reaches):
        clusters: set[str] = set()
        hours: dict[str, None] = {}
        for (was, to), moved in passages.items():
            shared = moved & kept
            if (
                shared
                and _is_silent(after, to, quiet, drawing.after, now)
                and not _is_silent(before, was, quiet, drawing.before, now)
            ):
                clusters |= shared
                hours |= {one.hours: None for one in quiet if one.unit_id in to}
        if clusters:
            yield Silenced(before, tuple(hours), frozenset(clusters))


def _passages(drawing: Drawing, quiet: set[str]) -> Mapping[tuple[_Chain, _Chain], frozenset[str]]:
    """Put together the clusters that go the same way, to where other units have such hours."""
    before, after = drawing.before, drawing.after
    found: dict[tuple[_Chain, _Chain], set[str]] = {}
    for cluster in after.clusters.keys() & before.clusters.keys():
        was, to = before.chain_of_cluster(cluster), after.chain_of_cluster(cluster)
        if not quiet.isdisjoint(set(to) - set(was)):
            found.setdefault((was, to), set()).add(cluster)
    return {passage: frozenset(clusters) for passage, clusters in found.items()}


def _pairs(
    db: Session, drawing: Drawing, fates: Sequence[SlotFate], reaches: Iterable[Retargeted]
) -> Iterator[tuple[Slot, Slot, frozenset[str]]]:
    """Yield slots before and after, with the clusters that they go on reaching."""
    for one in fates:
        for passed in one.passed:
            yield one.slot, passed, one.slot.clusters & passed.clusters
    lost = {one.slot.slot_id: one.lost for one in reaches}
    known = {slot.slot_id: slot for slot in slots_of(db, units=drawing.before)}
    for slot in slots_of(db, units=drawing.after):
        before = known.get(slot.slot_id)
        if before is not None:
            goes_on = slot.slot_id in lost
            kept = before.clusters - lost.get(slot.slot_id, _NOBODY) if goes_on else slot.clusters
            yield before, slot, before.clusters & kept


def _is_silent(
    slot: Slot, chain: _Chain, quiet: Sequence[TimeFrame], units: Tree, now: datetime
) -> bool:
    return bool(misplaced_slot(slot, (chain,), quiet, units=units, now=now))
