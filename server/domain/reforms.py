"""A reform of the tree as somebody asks for it, and what is drawn from it: values only.

On its day units come to be and others end; ids are for ever, and clusters keep theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from server.domain.cluster_import import ClusterFacts
from server.domain.errors import Finding
from server.domain.units import NewUnit, Tree

FOLLOW = "follow"
"""Passes to each unit that takes clusters of the one that ends."""
END = "end"
"""Ends with the unit."""


class How(StrEnum):
    """Where the clusters of a unit go that nothing else is said of."""

    STAY = "stay"
    WHOLE = "whole"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class VillageWay:
    """Where all clusters of one village go; it is known by its name within the unit."""

    village: str
    to: str


@dataclass(frozen=True, slots=True)
class Hand:
    """Where one cluster goes."""

    cluster_id: str
    to: str


@dataclass(frozen=True, slots=True)
class Way:
    """What becomes of one unit that there is.

    Attributes:
        ends: Whether it ends on the day; else it lives on with what stays.
        how: Where its clusters go that neither ``villages`` nor a hand names.
        to: The one unit for ``whole``; those to choose from for ``nearest``.
        children: New parent of the units right under it; None: ``to`` when it goes there whole.
        parent: Its own new parent, where it lives on under another unit.
        slots: ``follow``, ``end``, or the unit that they pass to.
        people: The same for what people were granted at it.
    """

    unit_id: str
    ends: bool = True
    how: How = How.WHOLE
    to: tuple[str, ...] = ()
    villages: tuple[VillageWay, ...] = ()
    children: str | None = None
    parent: str | None = None
    slots: str = FOLLOW
    people: str = FOLLOW


@dataclass(frozen=True, slots=True)
class Proposal:
    """A reform as somebody asks for it.

    Attributes:
        under: The unit that stands above all that changes.
        hands: Clusters whose way is told one by one.
        ended_slots: Slots of ended units that end with them though the others pass on.
    """

    title: str
    valid_from: date
    under: str
    legal_reference: str = ""
    born: tuple[NewUnit, ...] = ()
    ways: tuple[Way, ...] = ()
    hands: tuple[Hand, ...] = ()
    ended_slots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a reform is drawn on: all as it is on its day without it.

    Attributes:
        known: Ids of all units that there are, were, or are to be.
        levels: Ranks of the levels of government.
        points: Coordinates of the units that have them.
        facts: What is known of each cluster.
        later: Units and clusters with a change of their own after the day, and its day.
        young: Units that come to be on this very day.
    """

    today: date
    tree: Tree
    known: frozenset[str]
    levels: frozenset[int]
    points: Mapping[str, tuple[float, float]]
    facts: Mapping[str, ClusterFacts]
    later: Mapping[str, date]
    young: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Move:
    """A cluster that belongs to another unit from the day on."""

    cluster_id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """A cluster that a hand must place.

    Attributes:
        why: ``tie``, ``no-coordinates``, or ``left`` where nothing is said of it.
    """

    cluster_id: str
    unit_id: str
    why: str


@dataclass(frozen=True)
class Drawing:
    """The tree before and after, and what is wrong; with any finding nothing may be done."""

    before: Tree
    after: Tree
    born: tuple[NewUnit, ...]
    ended: tuple[str, ...]
    moves: tuple[Move, ...]
    reparented: tuple[Move, ...]
    undecided: tuple[Undecided, ...]
    findings: tuple[Finding, ...]

    def takers(self, unit_id: str) -> tuple[str, ...]:
        """List the units that take clusters of one, each once."""
        taken = (move.after for move in self.moves if move.before == unit_id)
        return tuple(dict.fromkeys(taken))
