"""From what people picked to a set of clusters, and from such a set to the narrowest words."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import takewhile

from server.domain.errors import UnknownThingError
from server.domain.units import Tree


@dataclass(frozen=True, slots=True)
class Cover:
    """A set of clusters in the fewest words.

    Attributes:
        units: Units all of whose clusters are meant.
        clusters: Clusters that are meant besides.
        topics: Units whose topics reach every meant cluster, and as few others as can be.
    """

    units: tuple[str, ...]
    clusters: tuple[str, ...]
    topics: tuple[str, ...]


def chosen(
    tree: Tree,
    *,
    units: Iterable[str] = (),
    clusters: Iterable[str] = (),
    exclude: Iterable[str] = (),
    groups: Iterable[str] = (),
    languages: Collection[str] = (),
) -> frozenset[str]:
    """Resolve what was picked into clusters; of these only those that speak one of ``languages``.

    Raises:
        UnknownThingError: A unit, group or cluster does not exist today.
    """
    meant: set[str] = set()
    for group_id in groups:
        if group_id not in tree.groups:
            raise UnknownThingError("group", group_id)
        meant.update(tree.groups[group_id] & tree.clusters.keys())
    for unit_id in units:
        meant |= tree.clusters_under(unit_id)
    for cluster_id in clusters:
        tree.chain_of_cluster(cluster_id)
        meant.add(cluster_id)
    meant.difference_update(exclude)
    if languages:
        return frozenset(one for one in meant if tree.speaks(one, languages))
    return frozenset(meant)


def cover(tree: Tree, top: str, meant: frozenset[str]) -> Cover:
    """Describe ``meant`` with the narrowest units under ``top``.

    A unit is named when all its clusters are meant; where only some are, each cluster is named and
    the topic of the unit it belongs to is used.
    """
    units: list[str] = []
    clusters: list[str] = []
    topics: list[str] = []
    waiting = [top]
    while waiting:
        unit_id = waiting.pop()
        under = tree.clusters_under(unit_id)
        if not under & meant:
            continue
        if under <= meant:
            # Where all of them are under one child, that is the narrower word.
            children = tree.children(unit_id)
            narrower = [child for child in children if under == tree.clusters_under(child)]
            if narrower:
                waiting.extend(narrower)
                continue
            units.append(unit_id)
            topics.append(unit_id)
            continue
        own = sorted(meant.intersection(tree.own_clusters(unit_id)))
        if own:
            clusters.extend(own)
            topics.append(unit_id)
        waiting.extend(tree.children(unit_id))
    return Cover(tuple(sorted(units)), tuple(sorted(clusters)), tuple(sorted(topics)))


def narrowest(tree: Tree, meant: Collection[str]) -> str:
    """Find the narrowest unit that covers all of some clusters, of which there is one at least."""
    chains = [tree.chain(unit) for unit in {tree.clusters[cluster] for cluster in meant}]
    found = chains[0]
    for chain in chains[1:]:
        shared = takewhile(lambda pair: pair[0] == pair[1], zip(found, chain, strict=False))
        found = tuple(unit for unit, _same in shared)
    return found[-1]
