"""Whether slots lie where the frames let them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from server.domain.errors import Finding
from server.domain.frames import TimeFrame, misplaced
from server.domain.slots import Slot, horizon
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
    occurrences = list(slot.rule.occurrences(start, end))
    above = units.chain(slot.unit_id)
    for laid_down in _different(chains, frames):
        findings = misplaced(
            occurrences, unit=units.unit(slot.unit_id), above=above, chain_frames=laid_down
        )
        if findings:
            return findings
    return []


def _different(
    chains: Iterable[tuple[str, ...]], frames: Sequence[TimeFrame]
) -> dict[tuple[TimeFrame, ...], None]:
    # Hundreds of communes under one province mostly have nothing but the province's frames.
    return dict.fromkeys(
        tuple(frame for frame in frames if frame.unit_id in chain) for chain in sorted(chains)
    )
