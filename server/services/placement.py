"""Whether slots lie where the frames let them."""

from calendar import day_name
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from server.domain.errors import Finding
from server.domain.frames import TimeFrame, misplaced
from server.domain.recurrence import local_day
from server.domain.slots import Slot, Stretch, horizon
from server.domain.units import Tree


def misplaced_slot(
    slot: Slot,
    chains: Collection[tuple[str, ...]],
    frames: Sequence[TimeFrame],
    *,
    units: Tree,
    now: datetime,
) -> list[Finding]:
    """Say what is wrong with a slot's hours under the first chain of units where it is wrong."""
    start, end = horizon(now, slot.rule)
    occurrences = _one_each_weekday(slot.rule.occurrences(start, end))
    above = units.chain(slot.unit_id)
    for laid_down in _different(chains, frames, above):
        findings = misplaced(
            occurrences, unit=units.unit(slot.unit_id), above=above, chain_frames=laid_down
        )
        if findings:
            return findings
    return []


def _one_each_weekday(occurrences: Iterator[Stretch]) -> list[Stretch]:
    """Keep the first of each weekday: frames tell weekdays apart, and nothing else."""
    found: dict[int, Stretch] = {}
    for start, end in occurrences:
        found.setdefault(local_day(start).weekday(), (start, end))
        if len(found) == len(day_name):
            break
    return sorted(found.values())


def _different(
    chains: Iterable[tuple[str, ...]], frames: Sequence[TimeFrame], above: Collection[str]
) -> list[tuple[TimeFrame, ...]]:
    """Keep of the chains one each that differs for programmes from above.

    Hundreds of communes under one province mostly have the province's frames and the same quiet
    hours; what else they have laid down does not bind the province.
    """
    by_unit: dict[str, list[tuple[object, TimeFrame]]] = {}
    for frame in frames:
        if frame.unit_id in above:
            by_unit.setdefault(frame.unit_id, []).append((id(frame), frame))
        elif frame.quiet:
            hours = (frame.weekdays, frame.local_start, frame.local_end)
            by_unit.setdefault(frame.unit_id, []).append((hours, frame))
    laid_down = {unit: tuple(zip(*own, strict=True)) for unit, own in by_unit.items()}
    found: dict[tuple[object, ...], list[tuple[TimeFrame, ...]]] = {}
    for chain in sorted(chains):
        binding = [laid_down[unit] for unit in chain if unit in laid_down]
        found.setdefault(tuple(alike for alike, _ in binding), [own for _, own in binding])
    return [tuple(frame for own in kept for frame in own) for kept in found.values()]
