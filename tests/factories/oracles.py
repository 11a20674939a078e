"""What a cluster sounds, worked out the slow way: minute by minute, from the words of the law.

Nothing here asks the code it judges. Time is whole minutes on the wall in Viet Nam since ``EPOCH``,
in which there is no zone, no UTC and no interval: a minute is somebody's or it is not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

EPOCH = date(2020, 1, 1)
A_DAY_MIN = 1440
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Programme:
    """Something that may be heard, in minutes on the wall.

    Attributes:
        comes_on: Judges a day by itself.
        minute: Minute of the day at which it begins.
        of_day: None for an announcement: it comes once, at ``minute`` since the epoch.
    """

    name: str
    unit: str
    level: int
    law: str
    minute: int
    length_min: int
    comes_on: Callable[[date], bool] | None = None
    scheduled: bool = True
    drill: bool = False
    severity: int = 0
    issued_min: int = 0

    def began(self, at: int) -> int | None:
        """Tell since when it has been going on at a minute; None: it is not."""
        if self.comes_on is None:
            return self.minute if self.minute <= at < self.minute + self.length_min else None
        for back in range(self.length_min // A_DAY_MIN + 2):
            day = at // A_DAY_MIN - back
            begins = day * A_DAY_MIN + self.minute
            if begins <= at < begins + self.length_min and self.comes_on(day_of(day)):
                return begins
        return None


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of every chosen weekday; across midnight where it ends before it begins."""

    weekdays: frozenset[int]
    start_min: int
    end_min: int
    owner: str = ""

    def holds(self, at: int) -> bool:
        minute, day = at % A_DAY_MIN, day_of(at // A_DAY_MIN)
        today = day.weekday() in self.weekdays
        yesterday = (day.weekday() - 1) % 7 in self.weekdays
        if self.start_min < self.end_min:
            return today and self.start_min <= minute < self.end_min
        return (today and minute >= self.start_min) or (yesterday and minute < self.end_min)


def day_of(number: int) -> date:
    return EPOCH + timedelta(days=number)


def minute_of(day: date) -> int:
    return (day - EPOCH).days * A_DAY_MIN


def heard(
    programmes: Sequence[Programme],
    at: int,
    *,
    frames: Sequence[Hours] = (),
    quiet: Sequence[Hours] = (),
    ranks: dict[str, int] | None = None,
) -> Programme | None:
    """Choose as Circular 39/2020/TT-BTTTT is understood, striking out losers one by one."""
    live = [(one, began) for one in programmes if (began := one.began(at)) is not None]
    if any(hours.holds(at) for hours in quiet):
        live = [(one, began) for one, began in live if one.law == "emergency" and not one.drill]
    owner = next((hours.owner for hours in frames if hours.holds(at)), None)
    while len(live) > 1:
        one, other, *rest = live
        live = [one if _goes_first(one, other, owner, ranks or {}) else other, *rest]
    return live[0][0] if live else None


Going = tuple[Programme, int]


def _goes_first(one: Going, other: Going, owner: str | None, ranks: dict[str, int]) -> bool:
    """Compare two that are both going on; each question settles it or leads to the next."""
    for question in (_class, lambda going: 1 if going[0].drill else 0):
        if question(one) != question(other):
            return question(one) < question(other)
    for better in _QUESTIONS[_class(one)](owner, ranks):
        if better(one) != better(other):
            return better(one) < better(other)
    names = [(going[0].name + _stamp(going), going[0].unit) for going in (one, other)]
    return names[0] < names[1]


def _class(going: Going) -> int:
    """A drill of whatever class is treated as a priority item that yields to any real one."""
    if going[0].drill:
        return 1
    return ("emergency", "priority", "ordinary").index(going[0].law)


def _stamp(going: Going) -> str:
    """A programme's occurrence is named by the UTC time at which it begins."""
    if not going[0].scheduled:
        return ""
    begins = datetime.combine(EPOCH, time()) + timedelta(minutes=going[1] - 7 * 60)
    return f"-{begins:%Y%m%dt%H%M%Sz}"


_QUESTIONS = (
    lambda _owner, _ranks: (
        lambda going: -going[0].severity,
        lambda going: -going[0].issued_min,
    ),
    lambda _owner, ranks: (
        lambda going: 0 if going[0].name + _stamp(going) in ranks else 1,
        lambda going: ranks.get(going[0].name + _stamp(going), 0),
        lambda going: 1 if going[0].scheduled else 0,
        lambda going: going[0].level,
        lambda going: going[1],
    ),
    lambda owner, _ranks: (
        lambda going: 0 if going[0].unit == owner else 1,
        lambda going: going[0].level,
        lambda going: going[1],
    ),
)
