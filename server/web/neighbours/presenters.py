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
    """One cluster of the list; turns are counted from 1 for people."""

    cluster_id: str
    name: str
    village: str
    turn: int
    reach_m: int | None
    delay_ms: int
    near: tuple[Near, ...]


def lines(found: Overlaps) -> list[Line]:
    """List who overlaps anybody first, by turn and name, then those that stand alone."""
    listed = [_line(found, cluster_id) for cluster_id in found.near]
    return sorted(listed, key=lambda one: (not one.near, one.turn, one.village, one.name))


def _line(found: Overlaps, cluster_id: str) -> Line:
    row = found.clusters[cluster_id]
    near = sorted(found.near[cluster_id].items(), key=lambda item: item[1])
    return Line(
        cluster_id=cluster_id,
        name=row.name,
        village=row.village or row.name,
        turn=found.turns[cluster_id] + 1,
        reach_m=row.reach_m,
        delay_ms=row.delay_ms,
        near=tuple(
            Near(
                found.clusters[other].village or found.clusters[other].name,
                round(metres),
                found.turns[other] + 1,
            )
            for other, metres in near
        ),
    )
