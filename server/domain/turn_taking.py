"""How the time of a slot is shared out among loudspeakers that overlap, so that they take turns.

Only a slot of files can be heard later than by the clock: a radio station and somebody who speaks
are heard when they speak. An emergency is never scheduled, and never waits (``protocol.turns``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType

from protocol.messages import StartMode, Turns
from protocol.turns import later_s
from server.domain.slots import ContentKind, Slot

TurnOf = Mapping[str, int]
"""The turn of each cluster; those that are not named have the first."""

NO_TURNS: TurnOf = MappingProxyType({})

PAUSE_S = 2
"""Between two turns: who is a second late by the delay of its cluster has ended by then."""

MOST_TURNS = 50


@dataclass(frozen=True, slots=True)
class Sharing:
    """A slot that would be heard in turns.

    Attributes:
        order: The turns of the clusters that it reaches, the first to sound first.
        lasts_s: How long one turn lasts: all its files, and what it may wait to begin.
        length_s: How long the slot lasts.
    """

    order: tuple[int, ...]
    lasts_s: int
    length_s: float

    @property
    def every_s(self) -> int:
        """How much later each turn begins than the one before it."""
        return self.lasts_s + PAUSE_S

    @property
    def needed_s(self) -> int:
        """How long a slot must last that all have their turn in."""
        return len(self.order) * self.every_s - PAUSE_S

    @property
    def fits(self) -> bool:
        """Whether they take turns; in a slot that is too short for it all sound at once."""
        return self.needed_s <= self.length_s and len(self.order) <= MOST_TURNS

    @property
    def turns(self) -> Turns:
        """How all have their turn, in a slot that is long enough."""
        return Turns(order=self.order, lasts_s=self.lasts_s, every_s=self.every_s)

    @property
    def last_s(self) -> float:
        """How much later than the first the last turn begins."""
        return later_s(self.turns, self.order[-1])

    def later(self, clusters: Iterable[str], turns: TurnOf) -> dict[str, float]:
        """Tell how many seconds later than the slot those clusters begin that do not begin then."""
        shared = self.turns
        after = {cluster: later_s(shared, turns.get(cluster, 0)) for cluster in clusters}
        return {cluster: after[cluster] for cluster in sorted(after) if after[cluster]}

    def told(self) -> Turns | None:
        """Say it as claims do."""
        return self.turns if self.fits else None


def sharing(slot: Slot, turns: TurnOf) -> Sharing | None:
    """Tell how a slot of a unit that takes turns is heard; None: everywhere at once anyway."""
    if not turns or slot.content_kind is not ContentKind.FILES or not slot.items:
        return None
    # Asked of hundreds of slots with hundreds of clusters, for each look.
    named = slot.clusters & turns.keys()
    present = set(map(turns.__getitem__, named))
    if len(named) < len(slot.clusters):
        present.add(0)
    order = tuple(sorted(present))
    if len(order) < 2:  # noqa: PLR2004 - one turn is none
        return None
    waits_s = slot.wait_s if slot.start_mode is StartMode.WAIT else 0.0
    lasts_s = ceil(sum(item.duration_s for item in slot.items) + waits_s)
    return Sharing(order, lasts_s, slot.rule.length.total_seconds())
