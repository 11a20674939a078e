"""The choice of loudspeakers: villages under their communes, as forms show and send them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from server.domain.authority import ALLOWED, Action, Actor
from server.domain.units import Tree, Unit
from server.services.monitoring import ClusterState
from server.web import words
from server.web.dashboard.presenters import place, plain
from server.web.words import Sign

_JOIN = ","


@dataclass(frozen=True, slots=True)
class Village:
    """The clusters of one village, chosen together.

    Attributes:
        points: Latitude and longitude of those whose place is known.
    """

    name: str
    clusters: tuple[str, ...]
    people: int
    sign: Sign
    points: tuple[tuple[float, float], ...] = ()

    @property
    def value(self) -> str:
        """What the form sends for it."""
        return _JOIN.join(self.clusters)


@dataclass(frozen=True, slots=True)
class Commune:
    """A unit and the villages whose clusters belong to it."""

    unit_id: str
    name: str
    villages: tuple[Village, ...]
    clusters: int
    searched: str


@dataclass(frozen=True, slots=True)
class Picked:
    """What somebody has chosen."""

    units: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def holds(self, village: Village, commune: Commune) -> bool:
        """Say whether a village is chosen, by itself or with all of its commune."""
        return commune.unit_id in self.units or set(village.clusters) <= set(self.clusters)


def communes(states: Iterable[ClusterState], tree: Tree, under: str) -> list[Commune]:
    """List the units under ``under`` that have clusters, with their villages."""
    inside = tree.clusters_under(under)
    wanted = sorted((state for state in states if state.cluster_id in inside), key=place)
    found = []
    for (unit_id, name), members in groupby(
        wanted, key=lambda state: (state.unit_id, state.unit_name)
    ):
        own = list(members)
        villages = tuple(
            _village(village, list(there))
            for village, there in groupby(own, key=lambda state: state.village)
        )
        searched = plain(" ".join((name, *(village.name for village in villages))))
        found.append(Commune(unit_id, name, villages, len(own), searched))
    return found


def picked(units: Sequence[str], villages: Sequence[str], groups: Sequence[str] = ()) -> Picked:
    """Read what the form sent."""
    clusters = [cluster for value in villages for cluster in value.split(_JOIN) if cluster]
    return Picked(*(tuple(dict.fromkeys(one)) for one in (units, clusters, groups)))


def acting_units(person: Actor, action: Action, tree: Tree) -> list[Unit]:
    """List the units in whose name somebody may do something, highest first."""
    granted = {grant.unit_id for grant in person.grants if action in ALLOWED[grant.role]}
    units = [unit for unit_id, unit in tree.units.items() if unit_id in granted]
    return sorted(units, key=lambda unit: (unit.level_rank, plain(unit.name)))


def _village(name: str, states: Sequence[ClusterState]) -> Village:
    # A village with any cluster that does not answer shows that one's state.
    worst = next((state for state in states if state.liveness != "here"), states[0])
    return Village(
        name or states[0].name,
        tuple(state.cluster_id for state in states),
        sum(state.people for state in states),
        words.liveness(worst.liveness),
        tuple(
            (state.latitude, state.longitude)
            for state in states
            if state.latitude is not None and state.longitude is not None
        ),
    )
