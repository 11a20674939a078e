"""Groups as the list shows them, and the picker of their members."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from server.domain.authority import Action, Actor, may
from server.domain.units import Tree
from server.services.grouping import Group
from server.web.targets import Commune, Picked, Village


@dataclass(frozen=True, slots=True)
class Entry:
    """One group of the list.

    Attributes:
        communes: Names of the units that its clusters belong to today.
        slots: Titles of the slots that target it.
        gone: How many of its clusters belong nowhere today.
    """

    group: Group
    unit_name: str
    communes: tuple[str, ...]
    slots: tuple[str, ...]
    gone: int
    may_change: bool


def entries(
    groups: Iterable[Group], slots: Mapping[str, Collection[str]], tree: Tree, person: Actor
) -> list[Entry]:
    """Describe groups by name."""
    return [
        Entry(
            group,
            tree.units[group.unit_id].name if group.unit_id in tree.units else "",
            tuple(dict.fromkeys(tree.unit(tree.clusters[one]).name for one in _today(group, tree))),
            tuple(slots.get(group.group_id, ())),
            len(group.clusters) - len(_today(group, tree)),
            group.unit_id in tree.units
            and may(person, Action.ADMINISTER, tree.chain(group.unit_id)),
        )
        for group in groups
    ]


def members(communes: Iterable[Commune], picked: Picked, names: Mapping[str, str]) -> list[Commune]:
    """Show villages of which only some clusters are members cluster by cluster.

    A village is chosen as a whole: saving must not drop what cannot be shown.
    """
    return [
        replace(
            commune,
            villages=tuple(
                shown for village in commune.villages for shown in _parts(village, picked, names)
            ),
        )
        for commune in communes
    ]


def _parts(village: Village, picked: Picked, names: Mapping[str, str]) -> tuple[Village, ...]:
    chosen = set(village.clusters) & set(picked.clusters)
    if not chosen or len(chosen) == len(village.clusters):
        return (village,)
    return tuple(
        replace(village, name=f"{village.name} · {names[cluster]}", clusters=(cluster,), people=0)
        for cluster in village.clusters
    )


def _today(group: Group, tree: Tree) -> list[str]:
    return [cluster for cluster in group.clusters if cluster in tree.clusters]
