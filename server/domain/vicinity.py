"""Which wishes for the loudspeakers can have to do with some hours of the day.

To know what changes in some hours, and how far, one need not look at whole days: only at what
touches those hours, and at what is handed on from one wish to the next.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from server.domain.week import DAY_S

_TURNS_S = (-DAY_S, 0, DAY_S)


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of the clock; before 0 and after 86400 lie the days beside."""

    start_s: float
    end_s: float

    def touches(self, other: "Hours") -> bool:
        """Say whether the two meet on any day."""
        return any(self._meeting(other))

    def with_(self, other: "Hours") -> "Hours":
        """Reach over another stretch too, wherever it meets this one."""
        met = [turn for turn, meets in zip(_TURNS_S, self._meeting(other), strict=True) if meets]
        starts = (other.start_s + turn for turn in met)
        ends = (other.end_s + turn for turn in met)
        return Hours(min((self.start_s, *starts)), max((self.end_s, *ends)))

    def _meeting(self, other: "Hours") -> Iterator[bool]:
        for turn in _TURNS_S:
            yield other.start_s + turn < self.end_s and self.start_s < other.end_s + turn

    @property
    def is_whole_day(self) -> bool:
        """Whether it reaches all round the clock."""
        return self.end_s - self.start_s >= DAY_S


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody's wish for some hours.

    Attributes:
        depends: Whether its own time depends on what else there is: it waits, or resumes.
    """

    ref: str
    hours: Hours
    depends: bool


def near(wishes: Sequence[Wish], changed: Iterable[Hours]) -> set[str] | None:
    """Name what must be known to tell what a change in some hours does; None: everything."""
    found: set[str] = set()
    for hours in changed:
        reached = _handed_on(hours, wishes)
        edges = [wish.hours for wish in wishes if reached.touches(wish.hours)]
        for edge in edges:
            reached = reached.with_(edge)
        reached = _handed_on(reached, wishes)
        if reached.is_whole_day:
            return None
        found.update(wish.ref for wish in wishes if reached.touches(wish.hours))
    return found


def _handed_on(hours: Hours, wishes: Sequence[Wish]) -> Hours:
    """Reach as far as wishes that depend on others hand a change on."""
    waiting = [wish.hours for wish in wishes if wish.depends]
    while not hours.is_whole_day:
        touched = [one for one in waiting if hours.touches(one)]
        if not touched:
            break
        waiting = [one for one in waiting if not hours.touches(one)]
        for one in touched:
            hours = hours.with_(one)
    return hours
