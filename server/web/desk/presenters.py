"""The desk in words: which rows and days it shows, and all of it as a list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from server.domain.recurrence import is_usable
from server.domain.units import Tree
from server.http.languages import gettext
from server.services.desk import Desk, DeskSlot, DeskUnit
from server.web import words
from server.web.dashboard.presenters import plain

MOST_LISTED = 1000
SPANS = {"day": 1, "week": 7}


@dataclass(frozen=True, slots=True)
class Days:
    """The stretch that is shown.

    Attributes:
        span: ``day`` or ``week``; a week begins on Monday.
        chosen: The day that was asked for.
    """

    span: str
    chosen: date

    @property
    def start(self) -> date:
        """The first day."""
        back = self.chosen.weekday() if self.span == "week" else 0
        return self.chosen - timedelta(days=back)

    @property
    def until(self) -> date:
        """The day after the last."""
        return self.start + timedelta(days=SPANS[self.span])

    @property
    def last(self) -> date:
        """The last day."""
        return self.until - timedelta(days=1)

    @property
    def before(self) -> date:
        """The chosen day of the stretch before, as far as the calendar goes."""
        return self._moved(-SPANS[self.span])

    @property
    def after(self) -> date:
        """The chosen day of the stretch after."""
        return self._moved(SPANS[self.span])

    def _moved(self, days: int) -> date:
        moved = self.chosen + timedelta(days=days)
        return moved if is_usable(moved) else self.chosen


@dataclass(frozen=True, slots=True)
class Coming:
    """One occurrence in the list."""

    slot: DeskSlot
    start_s: int
    from_day_before: bool

    @property
    def clock(self) -> str:
        """Its time of day."""
        return clock(self.start_s)

    @property
    def recurrence(self) -> str:
        """How often it comes, in words."""
        return words.recurrence(self.slot.recurrence)

    @property
    def over_s(self) -> float:
        """How many seconds of its content find no room."""
        content = self.slot.content_s
        return 0.0 if content is None else max(0.0, content - self.slot.length_s)


@dataclass(frozen=True, slots=True)
class UnitDay:
    """What one unit has on one day, by time."""

    unit: DeskUnit
    coming: tuple[Coming, ...]


@dataclass(frozen=True, slots=True)
class ListedDay:
    """One day of the list."""

    day: date
    units: tuple[UnitDay, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """The whole list.

    Attributes:
        left_out: How many occurrences are not listed.
    """

    days: tuple[ListedDay, ...]
    left_out: int


def shown_rows(tree: Tree, roots: Sequence[str], opened: frozenset[str]) -> list[str]:
    """List the units whose rows are visible, from the top down."""
    found: list[str] = []
    for unit_id in roots:
        found.append(unit_id)
        if unit_id in opened:
            children = sorted(tree.children(unit_id), key=lambda one: plain(tree.unit(one).name))
            found.extend(shown_rows(tree, children, opened))
    return found


def known_units(tree: Tree, roots: Sequence[str]) -> list[tuple[str, str, int, str, int]]:
    """List every unit under some roots for the page's script, in the order of its rows."""
    everything = frozenset(tree.units)
    return [
        (
            unit_id,
            tree.unit(unit_id).name,
            tree.unit(unit_id).level_rank,
            "" if unit_id in roots else tree.unit(unit_id).parent_id or "",
            len(tree.own_clusters(unit_id)),
        )
        for unit_id in shown_rows(tree, roots, everything)
    ]


def listed(desk: Desk) -> Listed:
    """Turn the desk into a list by day, unit and time."""
    units = {unit.unit_id: (place, unit) for place, unit in enumerate(desk.units)}
    coming = sorted(
        (
            (day, *units[slot.unit_id], slot.start_s, slot.slot_id, slot)
            for slot in desk.slots
            for day in slot.days
        ),
        key=lambda one: (max(one[0], 0), one[1], one[0], one[3], one[4]),
    )
    days = tuple(
        ListedDay(
            desk.start + timedelta(days=offset),
            tuple(
                UnitDay(desk.units[place], tuple(_coming(one[0], one[5]) for one in members))
                for place, members in groupby(of_day, key=lambda one: one[1])
            ),
        )
        for offset, of_day in groupby(coming[:MOST_LISTED], key=lambda one: max(one[0], 0))
    )
    return Listed(days, max(0, len(coming) - MOST_LISTED))


def _coming(day: int, slot: DeskSlot) -> Coming:
    return Coming(slot, slot.start_s, from_day_before=day < 0)


def clock(second: int) -> str:
    """Show a second of the day; without seconds where there are none."""
    minutes, seconds = divmod(second, 60)
    shown = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{shown}:{seconds:02}" if seconds else shown


def level_words(names: dict[int, str]) -> Iterator[tuple[str, str]]:
    """Name the levels of the legend, each with the class that colours it."""
    for rank, name in sorted(names.items())[:3]:
        yield f"level-{rank}", name


def script_words() -> dict[str, object]:
    """Collect the words that the page's script says."""
    return {
        "lost": gettext("The server cannot be reached. Nothing was changed."),
        "stale": gettext("Somebody else has changed it meanwhile. You now see how it stands."),
        "units": gettext("units: {}"),
        "clusters": gettext("clusters: {}"),
        "quiet": gettext("Quiet hours"),
        "open": gettext("Open to all"),
        "closed": gettext("Closed"),
        "free": gettext("Free"),
        "locked": gettext("Only to look at: it belongs to others"),
        "priority": words.bulletin_class("priority").label,
        "live": gettext("Live"),
        "relay": gettext("Radio relay"),
        "over": gettext("content is longer by {}"),
        "longer": gettext(
            "The files are %(length)s longer than the slot: that much of the end is not heard.",
            length="{}",
        ),
        "shorter": gettext(
            "The files are %(length)s shorter than the slot: after them it is silent, or what else "
            "is due then is heard.",
            length="{}",
        ),
        "why": gettext("Why?"),
        "save": gettext("Save"),
        "withdraw": gettext("Withdraw"),
        "withdrawAsk": gettext("Withdraw “{}”?"),
        "onlyDay": gettext("Only {}"),
        "leftAsWas": gettext("Left as it was."),
        "wrongTime": gettext("Write times like 05:30 and lengths like 15:00."),
        "recurrences": {code: words.recurrence(code) for code in words.RECURRENCES},
        "classes": {code: words.bulletin_class(code).label for code in words.CLASSES},
    }
