"""Trees of units: as values, as hypothesis strategies, and as rows."""

from collections.abc import Iterable
from datetime import datetime

from hypothesis import strategies as st
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, Grant, Role
from server.domain.units import Tree, Unit
from server.services import units
from server.services.keyring import Keyring
from tests.factories.claims import NOON

OPERATOR = Actor.operator("loa")
PROVINCE = "tinh"


def a_tree(parents: dict[str, str | None], clusters: dict[str, str] | None = None) -> Tree:
    """Make a tree from each unit's parent and each cluster's unit."""
    made = {
        unit: Unit(unit, f"Đơn vị {unit}", _depth(unit, parents), parent)
        for unit, parent in parents.items()
    }
    return Tree(made, dict(clusters or {}))


def a_small_tree() -> Tree:
    """Make a province with two communes, of which the first has two villages under it."""
    return a_tree(
        {"tinh": None, "xa-1": "tinh", "xa-2": "tinh", "thon-1": "xa-1", "thon-2": "xa-1"},
        {"c-0": "tinh", "c-1": "xa-1", "c-11": "thon-1", "c-12": "thon-2", "c-2": "xa-2"},
    )


def an_actor(role: Role = Role.COMMUNE_OFFICER, unit_id: str = "xa-1") -> Actor:
    """Make somebody with one grant."""
    return Actor(f"{role}@{unit_id}", (Grant(role, unit_id),))


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Draw a tree of up to eight units under one root, with up to nine clusters anywhere."""
    parents: dict[str, str | None] = {"u0": None}
    for number in range(1, draw(st.integers(1, 8))):
        parents[f"u{number}"] = f"u{draw(st.integers(0, number - 1))}"
    count = draw(st.integers(0, 9))
    places = draw(st.lists(st.sampled_from(sorted(parents)), min_size=count, max_size=count))
    return a_tree(parents, {f"c{number}": unit for number, unit in enumerate(places)})


actors = st.builds(
    lambda grants: Actor("ai-do", tuple(grants)),
    st.lists(
        st.builds(Grant, st.sampled_from(Role), st.sampled_from([f"u{n}" for n in range(8)])),
        max_size=3,
    ),
)
"""Somebody with up to three grants at units of ``trees``."""

actions = st.sampled_from(Action)


def found_province(
    db: Session,
    keyring: Keyring,
    *,
    communes: Iterable[str] = ("xa-1", "xa-2"),
    clusters: int = 2,
    now: datetime = NOON,
) -> None:
    """Enter a province with communes, each with clusters ``<commune>-c1``, ``<commune>-c2``, …."""
    for rank, name in ((0, "Tỉnh"), (1, "Xã")):
        units.create_level(db, rank=rank, name_vi=name, name_en=name)
    facts = {"now": now, "actor": OPERATOR}
    units.create_unit(db, units.NewUnit(PROVINCE, "Tỉnh", 0), keyring=keyring, **facts)
    for commune in communes:
        new = units.NewUnit(commune, f"Xã {commune}", 1, PROVINCE)
        units.create_unit(db, new, keyring=keyring, **facts)
        for number in range(1, clusters + 1):
            units.create_cluster(db, a_cluster(f"{commune}-c{number}", commune), **facts)


def a_cluster(cluster_id: str, unit_id: str) -> units.NewCluster:
    """Make the facts of a cluster that a hundred people hear."""
    return units.NewCluster(cluster_id, f"Cụm {cluster_id}", "Thôn Đoài", unit_id, people=100)


def _depth(unit: str, parents: dict[str, str | None]) -> int:
    parent = parents[unit]
    return 0 if parent is None else 1 + _depth(parent, parents)
