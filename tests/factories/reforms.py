"""Reforms: the ground they are drawn on, as values and as hypothesis strategies."""

from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from server.domain.cluster_import import ClusterFacts
from server.domain.reforms import END, FOLLOW, Ground, Hand, How, Proposal, VillageWay, Way
from server.domain.units import NewUnit, Tree
from tests.factories.slots import TODAY
from tests.factories.units import a_small_tree, trees

DAY = date(2026, 12, 1)


def a_ground(tree: Tree | None = None, **overrides: object) -> Ground:
    """Make the ground of a small tree whose clusters stand north of each other."""
    tree = tree or a_small_tree()
    facts = {
        cluster: ClusterFacts(cluster, unit, f"Cụm {cluster}", f"Thôn {cluster}", 22 + n / 10, 105)
        for n, (cluster, unit) in enumerate(sorted(tree.clusters.items()))
    }
    points = {unit: (22 + n / 10, 105.0) for n, unit in enumerate(sorted(tree.units))}
    boring = Ground(TODAY, tree, frozenset(tree.units), frozenset(range(9)), points, facts, {})
    return replace(boring, **overrides)


def a_new_unit(unit_id: str = "xa-moi", **overrides: object) -> NewUnit:
    """Make a new commune of the province."""
    return replace(NewUnit(unit_id, "Xã Mới", 1, "tinh", None, 22.0, 105.0), **overrides)


def a_way(unit_id: str = "xa-2", **overrides: object) -> Way:
    """Make the way of a commune that goes whole to the new one."""
    return replace(Way(unit_id, to=("xa-moi",)), **overrides)


def a_proposal(**overrides: object) -> Proposal:
    """Make the reform in which the second commune becomes a new one."""
    boring = Proposal("Sắp xếp xã", DAY, "tinh", "NQ 1684/NQ-UBTVQH15", (a_new_unit(),), (a_way(),))
    return replace(boring, **overrides)


@st.composite
def proposals(draw: st.DrawFn, tree: Tree, valid_from: date = DAY, tag: str = "n") -> Proposal:
    """Draw a reform of a tree: sensible more often than not, and sometimes nonsense."""
    top = tree.roots[0]
    inner = sorted(set(tree.units) - {top})
    names = [f"{tag}{number}" for number in range(draw(st.integers(0, 3)))]
    chosen = draw(st.lists(st.sampled_from(inner), max_size=3, unique=True)) if inner else []
    ending = {unit for unit in chosen if draw(st.booleans())}
    sensible = draw(st.integers(0, 3)) > 0
    anywhere = sorted({*tree.units, *names} - (ending if sensible else set()))
    somewhere = st.sampled_from(anywhere)
    born = []
    for name in names:
        parent = top if sensible else draw(somewhere)
        rank = tree.units[parent].level_rank + 1 if parent in tree.units else 1
        born.append(NewUnit(name, f"Xã {name}", rank, parent, None, 22.0, 105.0))
    ways = tuple(
        Way(
            unit,
            ends=unit in ending,
            how=draw(st.sampled_from([How.WHOLE, How.WHOLE, How.NEAREST, How.STAY])),
            to=(draw(somewhere),),
            villages=tuple(
                VillageWay(f"Thôn {cluster}", draw(somewhere))
                for cluster in tree.own_clusters(unit)
                if draw(st.booleans())
            ),
            children=top if sensible else draw(st.none() | somewhere),
            parent=None if sensible else draw(st.none() | somewhere),
            slots=draw(st.sampled_from([FOLLOW, END])),
        )
        for unit in chosen
    )
    hands = tuple(
        Hand(cluster, draw(somewhere))
        for cluster in sorted(tree.clusters)
        if not sensible and draw(st.integers(0, 3)) == 0
    )
    return Proposal("Sắp xếp", valid_from, top, "", tuple(born), ways, hands)


@st.composite
def grounds_and_proposals(draw: st.DrawFn) -> tuple[Ground, Proposal]:
    """Draw a tree and a reform of it."""
    tree = draw(trees())
    return a_ground(tree), draw(proposals(tree))
