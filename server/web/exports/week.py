"""One week of a unit on paper: days beside each other, or in a row where there is much."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.domain.recurrence import LOCAL, local_day
from server.services.exporting import PlannedOccurrence
from server.web.formats import weekday_names
from server.web.place_words import place_words

DAYS = 7
MOST_SIDE_BY_SIDE = 24
"""Broadcasts of one day; more do not fit beside those of other days."""

_LOWEST_COLOUR = 2


@dataclass(frozen=True, slots=True)
class Shown:
    """One broadcast.

    Attributes:
        level: Class that colours it by the level of the unit whose it is.
    """

    at: PlannedOccurrence
    where: str
    level: str


@dataclass(frozen=True, slots=True)
class Day:
    """What begins on one day."""

    day: date
    shown: tuple[Shown, ...]

    @property
    def name(self) -> str:
        """Name it by its weekday."""
        return weekday_names()[self.day.weekday()]

    @property
    def date(self) -> str:
        """Show it without the year, which stands above all days."""
        return f"{self.day:%d/%m}"


@dataclass(frozen=True, slots=True)
class Hour:
    """What begins within one hour, for each day."""

    label: str
    cells: tuple[tuple[Shown, ...], ...]


@dataclass(frozen=True, slots=True)
class Week:
    """A week from Monday on."""

    days: tuple[Day, ...]
    hours: tuple[Hour, ...]

    @property
    def is_dense(self) -> bool:
        """Whether days do not fit beside each other."""
        return any(len(day.shown) > MOST_SIDE_BY_SIDE for day in self.days)


def monday_of(day: date) -> date:
    """Find the day with which a day's week begins."""
    return day - timedelta(days=day.weekday())


def laid_out(found: Sequence[PlannedOccurrence], monday: date) -> Week:
    """Lay out a week: what begins before Monday belongs to the week before."""
    shown = [_shown(one) for one in found]
    days = tuple(
        Day(day, tuple(one for one in shown if local_day(one.at.start) == day))
        for day in (monday + timedelta(days=ahead) for ahead in range(DAYS))
    )
    hours = sorted({_hour(one) for day in days for one in day.shown})
    return Week(days, tuple(_row(hour, days) for hour in hours))


def _row(hour: int, days: Iterable[Day]) -> Hour:
    cells = (tuple(one for one in day.shown if _hour(one) == hour) for day in days)
    return Hour(f"{hour:02d}:00", tuple(cells))


def _hour(one: Shown) -> int:
    return one.at.start.astimezone(LOCAL).hour


def _shown(one: PlannedOccurrence) -> Shown:
    rank = min(one.slot.unit.level_rank, _LOWEST_COLOUR)
    return Shown(one, place_words(one.slot), f"level-{rank}")
