"""Whose horns overlap, and in which turn each speaks where neighbours are not to speak at once.

Two horns overlap where the circles of their reach do. Turns are a greedy colouring in a stated
order: whoever has the most neighbours first, by id among equals. So the same clusters always get
the same turns, on every machine, and there are never more turns than one and the most neighbours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from math import radians

from server.domain.distances import EARTH_M, Point, distance_m

ASSUMED_REACH_M = 300
"""Of a horn of which nobody has said how far it reaches: 30 W on a pole of ten metres."""

LEAST_REACH_M, MOST_REACH_M = 20, 3000

_DEGREE_M = EARTH_M * radians(1)


@dataclass(frozen=True, slots=True)
class Horn:
    """Where the loudspeakers of a cluster stand, and how far they are understood."""

    cluster_id: str
    latitude: float
    longitude: float
    reach_m: float

    @property
    def point(self) -> Point:
        """Where they stand."""
        return self.latitude, self.longitude


Neighbours = Mapping[str, Mapping[str, float]]
"""By cluster, the clusters that overlap it, with the metres between them."""


def neighbours(horns: Iterable[Horn]) -> Neighbours:
    """Find which horns overlap; each horn is in it, with none or some."""
    by_latitude = sorted(horns, key=lambda horn: (horn.latitude, horn.cluster_id))
    found: dict[str, dict[str, float]] = {horn.cluster_id: {} for horn in by_latitude}
    widest_m = max((horn.reach_m for horn in by_latitude), default=0.0)
    for number, one in enumerate(by_latitude):
        # Degrees of latitude are as long everywhere: beyond this strip nothing can overlap.
        strip = (one.reach_m + widest_m) / _DEGREE_M
        for other in by_latitude[number + 1 :]:
            if other.latitude - one.latitude > strip:
                break
            metres = distance_m(one.point, other.point)
            if metres < one.reach_m + other.reach_m:
                found[one.cluster_id][other.cluster_id] = metres
                found[other.cluster_id][one.cluster_id] = metres
    return found


def turns(overlapping: Neighbours) -> dict[str, int]:
    """Give each cluster its turn, from 0 on: no two that overlap have the same."""
    given: dict[str, int] = {}
    for cluster in sorted(overlapping, key=lambda one: (-len(overlapping[one]), one)):
        taken = {given[other] for other in overlapping[cluster] if other in given}
        given[cluster] = next(turn for turn in count() if turn not in taken)
    return given
