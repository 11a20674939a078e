"""Time in a week: stretches of whole seconds since Monday midnight, by the clock on the wall.

The one zone that times are shown in has no summer time, so every week is like every other.
"""

from collections.abc import Iterable
from datetime import time, timedelta
from functools import lru_cache

DAY_S = 86_400
WEEK_S = 7 * DAY_S

Stretch = tuple[int, int]
Stretches = tuple[Stretch, ...]
"""Half-open, in order, and apart from each other."""

WHOLE: Stretches = ((0, WEEK_S),)


@lru_cache(maxsize=4096)
def weekly(weekdays: int, start: time, length: timedelta) -> Stretches:
    """Lay out what begins at ``start`` on some weekdays; Sunday night reaches into Monday."""
    begins = start.hour * 3600 + start.minute * 60 + start.second
    lasts = int(length.total_seconds())
    found: list[Stretch] = []
    for day in range(7):
        if weekdays >> day & 1:
            first, last = day * DAY_S + begins, day * DAY_S + begins + lasts
            found.append((first, min(last, WEEK_S)))
            if last > WEEK_S:
                found.append((0, last - WEEK_S))
    return joined(found)


def joined(stretches: Iterable[Stretch]) -> Stretches:
    """Join what overlaps or touches: there is no seam at midnight, nor between two frames."""
    whole: list[Stretch] = []
    for begin, until in sorted(stretches):
        if whole and begin <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(until, whole[-1][1]))
        elif begin < until:
            whole.append((begin, until))
    return tuple(whole)


def common(one: Iterable[Stretch], other: Iterable[Stretch]) -> Stretches:
    """Keep what lies in both."""
    others = tuple(other)
    return joined(
        (max(begin, first), min(until, last))
        for begin, until in one
        for first, last in others
        if first < until and begin < last
    )


def without(one: Iterable[Stretch], other: Iterable[Stretch]) -> Stretches:
    """Keep what lies in the first alone."""
    return common(one, _rest(joined(other)))


def clock(second: int, *, ends: bool = False) -> str:
    """Show the time of day of a second of the week; an end at midnight is 24:00."""
    minutes = second % DAY_S // 60
    if ends and second % DAY_S == 0:
        return "24:00"
    return f"{minutes // 60:02}:{minutes % 60:02}"


@lru_cache(maxsize=4096)
def _rest(stretches: Stretches) -> Stretches:
    edges = (0, *(edge for stretch in stretches for edge in stretch), WEEK_S)
    return joined(zip(edges[::2], edges[1::2], strict=True))
