"""Which loudspeakers of one unit correspond to those of another: by village, name or group."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from server.domain.names import folded
from server.domain.units import Tree


@dataclass(frozen=True, slots=True)
class Called:
    """What clusters and groups are called, by their ids.

    Attributes:
        clusters: Village and name of each cluster.
    """

    clusters: Mapping[str, tuple[str, str]]
    groups: Mapping[str, str]


def corresponding(
    tree: Tree,
    called: Called,
    *,
    meant: Collection[str],
    groups: Collection[str],
    to_unit: str,
) -> frozenset[str]:
    """Find the clusters under a unit that are to another unit what ``meant`` are to theirs.

    They stand in a village of the same name, are called the same, or belong to one of the groups or
    to one that is called like it. Case and marks make no difference.
    """
    names = {name for one in meant for name in _names(called, one)}
    alike = {folded(called.groups[one]) for one in groups if one in called.groups}
    grouped = {
        cluster
        for group, members in tree.groups.items()
        if group in groups or folded(called.groups.get(group, "")) in alike
        for cluster in members
    }
    return frozenset(
        one
        for one in tree.clusters_under(to_unit)
        if one in grouped or not names.isdisjoint(_names(called, one))
    )


def _names(called: Called, cluster: str) -> list[str]:
    """Fold the names by which a cluster is known; an empty one is none."""
    return [folded(name) for name in called.clusters.get(cluster, ()) if name.strip()]
