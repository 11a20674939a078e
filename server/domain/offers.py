"""Ways out for a slot that may not be saved where others are.

Hours are told in seconds since midnight of the day on which the slot begins, whichever that is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from math import ceil
from typing import Any

from server.domain.week import DAY_S, WEEK_S, Stretches, joined

LEAST_LEFT_S = 60
"""A slot is not shortened to less."""

MOST_DAYS = 60
"""How many days are left out at most in the time in which they are counted."""

COUNTED = timedelta(days=731)
"""For how long they are counted."""

_REACH_S = 2 * DAY_S
"""A slot begins within its day and lasts a day at most."""


class OfferKind(StrEnum):
    """What would be done."""

    TRIM = "trim"
    NEXT_GAP = "next-gap"
    EXCLUDE = "exclude"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Offer:
    """A change to what was asked for with which it would be saved.

    Attributes:
        changes: New values of the fields that change, by the name they were asked for by.
        names: Slots that it would lie over, by title and unit.
    """

    kind: OfferKind
    local_start: time
    length: timedelta
    changes: Mapping[str, Any]
    days: tuple[date, ...] = ()
    names: tuple[str, ...] = ()


def on_weekdays(week: Stretches, weekdays: Iterable[int]) -> Stretches:
    """Lay stretches of the week out over the days that are some weekdays, and the day after."""
    return joined(
        (max(0, begin - ahead), min(_REACH_S, until - ahead))
        for weekday in weekdays
        for begin, until in week
        for ahead in (weekday * DAY_S, weekday * DAY_S - WEEK_S)
        if until > ahead and begin - ahead < _REACH_S
    )


def trimmed(start_s: float, length_s: float, taken: Stretches) -> tuple[float, float] | None:
    """Shorten what is wanted to its longer end that is free; None: too little would be left.

    Returns:
        Where it begins, and how long it lasts, in seconds.
    """
    end_s = start_s + length_s
    met = [one for one in taken if one[0] < end_s and start_s < one[1]]
    if not met:
        return None
    head = (start_s, met[0][0] - start_s)
    tail = (float(met[-1][1]), end_s - met[-1][1])
    best = max(head, tail, key=lambda one: one[1])
    if best[1] < max(LEAST_LEFT_S, length_s / 2) or best[0] >= DAY_S:
        return None
    return best


def later_starts(start_s: float, length_s: float, taken: Stretches) -> Iterator[int]:
    """Yield the first second of each later gap of the day that is long enough, nearest first.

    A whole minute is preferred where one fits.
    """
    lasts = ceil(length_s)
    for begin, until in _gaps(taken):
        whole = -(-begin // 60) * 60
        at = whole if whole + lasts <= until else begin
        if start_s < at < DAY_S and at + lasts <= until:
            yield at


def earlier_starts(start_s: float, length_s: float, taken: Stretches) -> Iterator[int]:
    """Yield the last second of each earlier gap of the day in which it may begin, nearest first."""
    lasts = ceil(length_s)
    for begin, until in reversed(_gaps(taken)):
        last = until - lasts
        whole = last // 60 * 60
        at = whole if whole >= begin else last
        if begin <= at < start_s:
            yield at


def leaves_few(days: Iterable[date], today: date) -> bool:
    """Say whether so few days would be left out that it is still the same programme."""
    return sum(day < today + COUNTED for day in days) <= MOST_DAYS


def clock(second: float) -> time:
    """Read the clock at a second of the day."""
    return (datetime.min + timedelta(seconds=second)).time()  # noqa: DTZ901 - only its clock is read


def second(at: time) -> float:
    """Tell the second of the day at a time on the clock."""
    return at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6


def _gaps(taken: Stretches) -> list[tuple[int, int]]:
    edges = (0, *(edge for stretch in taken for edge in stretch), _REACH_S)
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(begin, until) for begin, until in pairs if begin < until]
