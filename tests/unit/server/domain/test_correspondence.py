"""Which loudspeakers of one unit correspond to those of another."""

from dataclasses import replace

from server.domain.correspondence import Called, corresponding
from tests.factories.units import a_tree

TREE = a_tree(
    {"tinh": None, "xa-1": "tinh", "xa-2": "tinh"},
    {"a-1": "xa-1", "a-2": "xa-1", "b-1": "xa-2", "b-2": "xa-2", "b-3": "xa-2"},
)
PLACES = {
    "a-1": ("Bản Cáp", "Loa nhà văn hóa"),
    "a-2": ("", "Loa trường học"),
    "b-1": ("BAN CAP", "Loa chợ"),
    "b-2": ("Khuổi Vạc", "loa  trường học"),
    "b-3": ("", "Loa chợ"),
}
GROUPS = {"cho-1": "Khu chợ", "cho-2": "khu cho", "khac": "Trường học"}
TREE_IN_GROUPS = replace(
    TREE,
    groups={
        "cho-1": frozenset({"a-2"}),
        "cho-2": frozenset({"b-3"}),
        "khac": frozenset({"b-1", "b-2"}),
    },
)


def alike(*meant: str, groups: tuple[str, ...] = (), to_unit: str = "xa-2"):
    called = Called(PLACES, GROUPS)
    found = corresponding(TREE_IN_GROUPS, called, meant=meant, groups=groups, to_unit=to_unit)
    return sorted(found)


def test_clusters_correspond_by_village_or_name_whatever_their_marks_and_case():
    assert alike("a-1") == ["b-1"]
    assert alike("a-2") == ["b-2"]
    assert alike() == []


def test_an_empty_village_corresponds_to_no_other():
    assert "b-3" not in alike("a-2")


def test_a_group_corresponds_to_its_own_members_there_and_to_one_that_is_called_like_it():
    assert alike(groups=("cho-1",)) == ["b-3"]
    assert alike(groups=("khac",)) == ["b-1", "b-2"]
    assert alike("a-1", groups=("cho-1",)) == ["b-1", "b-3"]


def test_a_unit_corresponds_to_itself_cluster_by_cluster():
    assert alike("a-1", to_unit="xa-1") == ["a-1"]
