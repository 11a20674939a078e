"""How far apart two points of the earth are."""

from math import asin, cos, radians, sin, sqrt

EARTH_M = 6_371_000.0

Point = tuple[float, float]
"""Degrees north, degrees east."""


def distance_m(one: Point, other: Point) -> float:
    """Tell how far it is from one point to another, along the ground."""
    north, south = radians(one[0]), radians(other[0])
    across = sin((south - north) / 2) ** 2
    along = sin(radians(other[1] - one[1]) / 2) ** 2
    half = across + cos(north) * cos(south) * along
    return 2 * EARTH_M * asin(min(1.0, sqrt(half)))
