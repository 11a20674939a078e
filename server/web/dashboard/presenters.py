"""Clusters grouped by the unit they belong to, with the figures that come first."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import groupby

from server.domain.authority import Action, Actor, may
from server.domain.units import Tree
from server.http.languages import gettext
from server.services.monitoring import ClusterState, Glance
from server.web import words
from server.web.data_plans.presenters import DataShown, shown
from server.web.words import Sign

MOST_CARDS = 60
"""Of more clusters the page lists the units; one opens a unit, searches or filters."""

_METER_FLOOR_DBFS = -60.0
_ANSWERING = frozenset({"here", "late"})


@dataclass(frozen=True, slots=True)
class Figures:
    """How many clusters are in which state."""

    on_air: int
    here: int
    troubled: int
    all: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is amiss at a cluster, or that one should know of it.

    Attributes:
        css: What colours it beyond a note; mostly empty.
        since: When it was told, where that matters.
    """

    icon: str
    text: str
    css: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One cluster on the page."""

    state: ClusterState
    sign: Sign
    on_air: bool
    searched: str
    level_percent: int
    notes: tuple[Note, ...]
    data: DataShown | None
    machine: str

    @property
    def filter_codes(self) -> str:
        """Which of the page's filters it falls under."""
        codes = ["on-air"] if self.on_air else []
        if not self.on_air and self.state.liveness not in _ANSWERING:
            codes.append("trouble")
        if self.state.data is not None and self.state.data.is_short:
            codes.append("data")
        return " ".join(codes)


@dataclass(frozen=True, slots=True)
class Group:
    """The clusters of one unit."""

    unit_id: str
    unit_name: str
    cards: tuple[Card, ...]

    @property
    def on_air(self) -> int:
        """How many of them sound now."""
        return sum(card.on_air for card in self.cards)

    @property
    def troubled(self) -> int:
        """How many of them do not answer."""
        return sum(card.state.liveness not in _ANSWERING for card in self.cards)


@dataclass(frozen=True, slots=True)
class UnitLine:
    """The clusters of one unit, in figures."""

    unit_id: str
    unit_name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Asked:
    """What of very many clusters is to be shown: a unit's, those found, those in some state."""

    unit: str = ""
    words: str = ""
    show: str = ""

    @property
    def address(self) -> Mapping[str, str]:
        """What of it stands in an address."""
        told = {"unit": self.unit, "q": self.words, "show": self.show}
        return {name: value for name, value in told.items() if value}

    def chosen(self, glances: Iterable[Glance]) -> list[Glance]:
        """Keep the clusters that are asked for, in the order of the page; nothing asked: none."""
        if not self.address:
            return []
        words, fits = plain(self.words.strip()), _FILTERS.get(self.show, _all)
        return sorted(
            (
                one
                for one in glances
                if (not self.unit or one.unit_id == self.unit)
                and fits(one)
                and words in searched(one)
            ),
            key=place,
        )


def _all(_one: Glance) -> bool:
    return True


_FILTERS: Mapping[str, Callable[[Glance], bool]] = {
    "on-air": lambda one: one.on_air,
    "trouble": lambda one: not one.answers,
    "data": lambda one: one.data is not None and one.data.is_short,
}


def figures(glances: Iterable[Glance]) -> Figures:
    """Count the states."""
    told = list(glances)
    here = sum(one.answers for one in told)
    return Figures(sum(one.on_air for one in told), here, len(told) - here, len(told))


def lines(glances: Iterable[Glance]) -> list[UnitLine]:
    """Sum up the clusters of each unit, by the units' names."""
    by_unit: dict[str, list[Glance]] = {}
    for one in glances:
        by_unit.setdefault(one.unit_id, []).append(one)
    ordered = sorted(by_unit.items(), key=lambda item: (plain(item[1][0].unit_name), item[0]))
    return [UnitLine(unit_id, own[0].unit_name, figures(own)) for unit_id, own in ordered]


def tended(states: Iterable[ClusterState], person: Actor, tree: Tree) -> frozenset[str]:
    """Name the units among these whose clusters somebody may look after."""
    units = {state.unit_id for state in states}
    return frozenset(one for one in units if may(person, Action.TEND, tree.chain(one)))


def visible(glances: Iterable[Glance], person: Actor, tree: Tree) -> list[Glance]:
    """Keep what somebody may see."""
    seen = {unit for unit in tree.units if may(person, Action.VIEW, tree.chain(unit))}
    return [one for one in glances if one.unit_id in seen]


def grouped(states: Sequence[ClusterState]) -> list[Group]:
    """Put clusters under the names of their units."""
    return [
        Group(unit_id, name, tuple(_card(state) for state in members))
        for (unit_id, name), members in groupby(
            sorted(states, key=place),
            key=lambda state: (state.unit_id, state.unit_name),
        )
    ]


def place(state: ClusterState | Glance) -> tuple[str, ...]:
    """Order clusters by commune and village as people look them up: Đ stands beside D."""
    return (plain(state.unit_name), state.unit_id, plain(state.village), plain(state.name))


def searched(state: ClusterState | Glance) -> str:
    """Give the words by which a cluster is found."""
    return plain(f"{state.unit_name} {state.village} {state.name} {state.cluster_id}")


@lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """Take the marks off letters, so that a search needs none."""
    marked = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(sign for sign in marked if not unicodedata.combining(sign))


def _card(state: ClusterState) -> Card:
    on_air = bool(state.on_air_claim)
    sign = words.ON_AIR if on_air else words.liveness(state.liveness)
    data = shown(state.data) if state.data else None
    # The node's own month is no month of the plan.
    hidden = {"data_month_mb"} if data else set()
    measured = {name: value for name, value in state.machine.items() if name not in hidden}
    return Card(
        state,
        sign,
        on_air,
        searched(state),
        _level_percent(state.level_dbfs),
        tuple(_notes(state, data)),
        data,
        words.machine(measured),
    )


def _notes(state: ClusterState, data: DataShown | None) -> Iterator[Note]:
    """Name all that is amiss, the gravest first."""
    for name in state.alarms:
        yield Note("exclamation-octagon-fill", words.alarm(name), "text-lost", state.alarms_at)
    if data is not None and data.warning:
        yield Note("exclamation-triangle-fill", data.warning, "text-lost")
    if state.machine.get("under_voltage"):
        yield Note("exclamation-triangle-fill", gettext("The power supply is too weak"))
    if state.clock_trusted is False and state.liveness in _ANSWERING:
        untrusted = gettext("Clock not trusted yet: what is scheduled may have to wait")
        yield Note("clock-history", untrusted)
    for code in state.troubles:
        yield Note("exclamation-triangle-fill", words.trouble(code))
    if state.liveness == "here" and not state.holds_newest_plan:
        yield Note("arrow-repeat", gettext("The newest plan is on its way"))


def _level_percent(level_dbfs: float | None) -> int:
    if level_dbfs is None:
        return 0
    share = (level_dbfs - _METER_FLOOR_DBFS) / -_METER_FLOOR_DBFS
    return round(100 * min(1.0, max(0.0, share)))
