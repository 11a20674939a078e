"""Clusters grouped by the unit they belong to, with the figures that come first."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from server.domain.authority import Action, Actor, may
from server.domain.units import Tree
from server.services.monitoring import ClusterState
from server.web import words
from server.web.words import Sign

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
class Card:
    """One cluster on the page."""

    state: ClusterState
    sign: Sign
    on_air: bool
    searched: str
    level_percent: int

    @property
    def filter_code(self) -> str:
        """Which of the page's filters it falls under."""
        if self.on_air:
            return "on-air"
        return "connected" if self.state.liveness in _ANSWERING else "trouble"


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


def visible(states: Iterable[ClusterState], person: Actor, tree: Tree) -> list[ClusterState]:
    """Keep what somebody may see."""
    return [state for state in states if may(person, Action.VIEW, tree.chain(state.unit_id))]


def grouped(states: Sequence[ClusterState]) -> list[Group]:
    """Put clusters under the names of their units."""
    return [
        Group(unit_id, name, tuple(_card(state) for state in members))
        for (unit_id, name), members in groupby(
            sorted(states, key=place),
            key=lambda state: (state.unit_id, state.unit_name),
        )
    ]


def figures(groups: Iterable[Group]) -> Figures:
    """Count the states."""
    cards = [card for group in groups for card in group.cards]
    return Figures(
        on_air=sum(card.on_air for card in cards),
        here=sum(card.state.liveness in _ANSWERING for card in cards),
        troubled=sum(card.state.liveness not in _ANSWERING for card in cards),
        all=len(cards),
    )


def place(state: ClusterState) -> tuple[str, ...]:
    """Order clusters by commune and village as people look them up: Đ stands beside D."""
    return (plain(state.unit_name), state.unit_id, plain(state.village), plain(state.name))


@lru_cache(maxsize=16_384)
def plain(text: str) -> str:
    """Take the marks off letters, so that a search needs none."""
    marked = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(sign for sign in marked if not unicodedata.combining(sign))


def _card(state: ClusterState) -> Card:
    on_air = bool(state.on_air_claim)
    sign = words.ON_AIR if on_air else words.liveness(state.liveness)
    searched = plain(f"{state.unit_name} {state.village} {state.name} {state.cluster_id}")
    return Card(state, sign, on_air, searched, _level_percent(state.level_dbfs))


def _level_percent(level_dbfs: float | None) -> int:
    if level_dbfs is None:
        return 0
    share = (level_dbfs - _METER_FLOOR_DBFS) / -_METER_FLOOR_DBFS
    return round(100 * min(1.0, max(0.0, share)))
