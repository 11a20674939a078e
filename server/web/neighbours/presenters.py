"""Horns that overlap, in the order of their turns."""

from dataclasses import dataclass

from server.services.neighbours import Overlaps


@dataclass(frozen=True, slots=True)
class Near:
    """Another horn that is heard at the same place."""

    name: str
    metres: int
    turn: int


@dataclass(frozen=True, slots=True)
class Line:
    """One cluster of the list; turns are counted from 1 for people.

    Attributes:
        reach_m: How far it is said to reach; None: nobody has said.
        heard_m: How far it is taken to.
        colour: Which colour its turn has on the map; there are no more than so many.
    """

    cluster_id: str
    name: str
    village: str
    turn: int
    latitude: float
    longitude: float
    reach_m: int | None
    heard_m: float
    delay_ms: int
    near: tuple[Near, ...]
    colour: int


COLOURS = 6


def lines(found: Overlaps) -> list[Line]:
    """List who overlaps anybody first, by turn and name, then those that stand alone."""
    listed = [_line(found, cluster_id) for cluster_id in found.near]
    return sorted(listed, key=lambda one: (not one.near, one.turn, one.village, one.name))


def _line(found: Overlaps, cluster_id: str) -> Line:
    row, horn = found.clusters[cluster_id], found.horns[cluster_id]
    near = sorted(found.near[cluster_id].items(), key=lambda item: item[1])
    return Line(
        cluster_id=cluster_id,
        name=row.name,
        village=row.village or row.name,
        turn=found.turns[cluster_id] + 1,
        latitude=horn.latitude,
        longitude=horn.longitude,
        reach_m=row.reach_m,
        heard_m=horn.reach_m,
        delay_ms=row.delay_ms,
        near=tuple(
            Near(
                found.clusters[other].village or found.clusters[other].name,
                round(metres),
                found.turns[other] + 1,
            )
            for other, metres in near
        ),
        colour=found.turns[cluster_id] % COLOURS,
    )
