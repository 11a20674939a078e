"""A draft and its effects as the pages show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from server.domain.reforms import Drawing, Ground, How, Proposal, Way
from server.services.reforming import Verdict


@dataclass(frozen=True, slots=True)
class Choice:
    """A unit that can be chosen."""

    unit_id: str
    name: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class WayEntry:
    """One unit that changes, in the list."""

    way: Way
    name: str
    clusters: int
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """Clusters that go from one unit to another."""

    before: str
    after: str
    clusters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """What units and clusters are called, before and after."""

    units: Mapping[str, str]
    clusters: Mapping[str, str]

    def unit(self, unit_id: str) -> str:
        """Name a unit."""
        return self.units.get(unit_id, unit_id)

    def cluster(self, cluster_id: str) -> str:
        """Name a cluster."""
        return self.clusters.get(cluster_id, cluster_id)

    def listed(self, units: Iterable[str]) -> str:
        """Name several units."""
        return ", ".join(self.unit(unit) for unit in units)


def names(ground: Ground, proposal: Proposal) -> Names:
    """Collect the names of all that a reform may name."""
    units = {unit.unit_id: unit.name for unit in ground.tree.units.values()}
    units |= {new.unit_id: new.name for new in proposal.born}
    clusters = {
        one.cluster_id: one.name if one.village in {"", one.name} else f"{one.village} · {one.name}"
        for one in ground.facts.values()
    }
    return Names(units, clusters)


def choices(ground: Ground, proposal: Proposal) -> list[Choice]:
    """List the units that something may go to, new ones first."""
    ended = {way.unit_id for way in proposal.ways if way.ends}
    new = [Choice(one.unit_id, one.name, is_new=True) for one in proposal.born]
    there = ground.tree.subtree(proposal.under) if proposal.under in ground.tree.units else ()
    kept = [
        Choice(unit, ground.tree.unit(unit).name, is_new=False)
        for unit in there
        if unit not in ended
    ]
    return [*new, *sorted(kept, key=lambda one: one.name)]


def way_entries(ground: Ground, proposal: Proposal, called: Names) -> list[WayEntry]:
    """List the units that change."""
    return [
        WayEntry(
            way,
            called.unit(way.unit_id),
            len(ground.tree.own_clusters(way.unit_id)),
            tuple(called.unit(unit) for unit in _targets(way)),
        )
        for way in proposal.ways
    ]


def villages(ground: Ground, unit_id: str) -> list[tuple[str, int]]:
    """List the villages of a unit, and how many clusters each has."""
    found = sorted(
        ground.facts[one].village
        for one in ground.tree.own_clusters(unit_id)
        if one in ground.facts
    )
    return [(village, len(list(same))) for village, same in groupby(found)]


def passages(drawing: Drawing, called: Names) -> list[Passage]:
    """Put the clusters that move together by where they come from and go to."""
    ordered = sorted(
        drawing.moves, key=lambda one: (called.unit(one.before), one.before, one.after)
    )
    return [
        Passage(
            called.unit(before),
            called.unit(after),
            tuple(called.cluster(one.cluster_id) for one in moves),
        )
        for (before, after), moves in groupby(ordered, key=lambda one: (one.before, one.after))
    ]


def candidates(verdict: Verdict, unit_id: str, all_choices: Sequence[Choice]) -> list[Choice]:
    """List where an undecided cluster may go: where its unit goes, else anywhere."""
    way = next((way for way in verdict.proposal.ways if way.unit_id == unit_id), None)
    if way is None or way.how is not How.NEAREST:
        return list(all_choices)
    return [one for one in all_choices if one.unit_id in way.to]


def _targets(way: Way) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*way.to, *(village.to for village in way.villages))))
