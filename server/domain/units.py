"""The administrative tree on one day."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from server.domain.errors import UnknownThingError

VIETNAMESE = frozenset(("vi",))


@dataclass(frozen=True, slots=True)
class Unit:
    """An administrative unit; ``level_rank`` 0 is the highest level.

    Attributes:
        takes_turns: Whether loudspeakers that overlap sound its slots one after the other.
    """

    unit_id: str
    name: str
    level_rank: int
    parent_id: str | None
    takes_turns: bool = False


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit that is to exist from some day on; no parent: it is a root of the tree."""

    unit_id: str
    name: str
    level_rank: int
    parent_id: str | None = None
    code: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Tree:
    """Units, and the unit that each cluster belongs to.

    Attributes:
        groups: Clusters of each group that people have made.
        languages: Languages spoken at a cluster, where it has been said.
    """

    units: Mapping[str, Unit]
    clusters: Mapping[str, str]
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    languages: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """Units under no other."""
        return tuple(unit_id for unit_id, unit in self.units.items() if unit.parent_id is None)

    @cached_property
    def takes_turns(self) -> bool:
        """Whether there is a unit whose loudspeakers take turns."""
        return any(unit.takes_turns for unit in self.units.values())

    @cached_property
    def _chains(self) -> dict[str, tuple[str, ...]]:
        """Keep those that have been asked for: what stands above a unit is asked very often."""
        return {}

    @cached_property
    def _children(self) -> dict[str, tuple[str, ...]]:
        below: dict[str, list[str]] = {}
        for unit in self.units.values():
            if unit.parent_id is not None:
                below.setdefault(unit.parent_id, []).append(unit.unit_id)
        return {parent: tuple(children) for parent, children in below.items()}

    @cached_property
    def _own_clusters(self) -> dict[str, tuple[str, ...]]:
        own: dict[str, list[str]] = {}
        for cluster_id, unit_id in self.clusters.items():
            own.setdefault(unit_id, []).append(cluster_id)
        return {unit: tuple(clusters) for unit, clusters in own.items()}

    @cached_property
    def _under(self) -> dict[str, frozenset[str]]:
        under: dict[str, set[str]] = {}
        for unit_id, own in self._own_clusters.items():
            for above in self.chain(unit_id):
                under.setdefault(above, set()).update(own)
        return {unit: frozenset(clusters) for unit, clusters in under.items()}

    def unit(self, unit_id: str) -> Unit:
        """Find a unit.

        Raises:
            UnknownThingError: There is none of that id today.
        """
        try:
            return self.units[unit_id]
        except KeyError:
            raise UnknownThingError("unit", unit_id) from None

    def children(self, unit_id: str) -> tuple[str, ...]:
        """Units directly under a unit."""
        return self._children.get(unit_id, ())

    def own_clusters(self, unit_id: str) -> tuple[str, ...]:
        """Clusters that belong to the unit itself, not to one below it."""
        return self._own_clusters.get(unit_id, ())

    def chain(self, unit_id: str) -> tuple[str, ...]:
        """Units from the top down to this one, itself last."""
        known = self._chains.get(unit_id)
        if known is None:
            parent = self.unit(unit_id).parent_id
            above = () if parent is None else self.chain(parent)
            known = self._chains[unit_id] = (*above, unit_id)
        return known

    def chain_of_cluster(self, cluster_id: str) -> tuple[str, ...]:
        """Units above a cluster, from the top down.

        Raises:
            UnknownThingError: There is no such cluster today.
        """
        unit_id = self.clusters.get(cluster_id)
        if unit_id is None:
            raise UnknownThingError("cluster", cluster_id)
        return self.chain(unit_id)

    def subtree(self, unit_id: str) -> Iterator[str]:
        """The unit and all units under it."""
        self.unit(unit_id)
        waiting = [unit_id]
        while waiting:
            at = waiting.pop()
            yield at
            waiting.extend(self.children(at))

    def speaks(self, cluster_id: str, languages: Collection[str]) -> bool:
        """Say whether one of some languages is spoken at a cluster: Vietnamese if none is named."""
        return not self.languages.get(cluster_id, VIETNAMESE).isdisjoint(languages)

    def languages_at(self, clusters: Collection[str]) -> frozenset[str]:
        """Collect the languages spoken at some clusters."""
        return frozenset().union(*(self.languages.get(one, VIETNAMESE) for one in clusters))

    def clusters_under(self, unit_id: str) -> frozenset[str]:
        """All clusters of the unit and of those under it."""
        self.unit(unit_id)
        return self._under.get(unit_id, frozenset())
