"""What the reform of July 2025 did, proposed for a tree that still has the communes of before."""

from datetime import date

import pytest

from server.domain.country_reform import proposed
from server.domain.reforms import How
from server.domain.units import Tree, Unit
from server.services.country import country

OLD = {
    "00715": "Xã Lũng Cú",
    "00718": "Xã Má Lé",
    "00733": "Xã Sủng Là",
    "00736": "Xã Sà Phìn",
}
"""Old communes of the district Đồng Văn: two are Xã Lũng Cú today, two the new Xã Sà Phìn."""


def a_tree_of_before(**more: str) -> tuple[Tree, dict[str, str]]:
    old = {**OLD, **more}
    units = {
        "tinh": Unit("tinh", "Tỉnh Hà Giang", 0, None),
        "huyen": Unit("huyen", "Huyện Đồng Văn", 1, "tinh"),
        **{f"x-{code}": Unit(f"x-{code}", name, 2, "huyen") for code, name in old.items()},
    }
    return Tree(units, {}), {"huyen": "026", **{f"x-{code}": code for code in old}}


def propose(tree: Tree, codes: dict[str, str]):
    return proposed(
        country(), tree, codes, under="tinh", valid_from=date(2026, 12, 1), title="Sắp xếp"
    )


@pytest.fixture
def proposal():
    return propose(*a_tree_of_before())


def test_communes_that_became_one_go_there_whole_and_the_one_that_goes_on_stays(proposal):
    to = {way.unit_id: way.to for way in proposal.ways}
    assert to["x-00718"] == ("x-00715",)
    assert "x-00715" not in to
    # The code is that of another commune of before, the name is not: it is a new unit.
    assert to["x-00733"] == to["x-00736"] == ("vn-08-00733",)
    assert [(new.unit_id, new.name, new.parent_id) for new in proposal.born] == [
        ("vn-08-00733", "Xã Sà Phìn", "tinh")
    ]


def test_a_split_commune_goes_to_the_nearest_of_those_it_became():
    split = next(one for one in country().former if len(one.became) > 1 and one.code)
    proposal = propose(*a_tree_of_before(**{split.code: split.name}))
    (way,) = [way for way in proposal.ways if way.unit_id == f"x-{split.code}"]
    assert way.how is How.NEAREST
    assert len(way.to) == len(split.became)


def test_the_district_ends_and_what_is_left_under_it_goes_to_the_province(proposal):
    (way,) = [way for way in proposal.ways if way.unit_id == "huyen"]
    assert (way.ends, way.children, way.to) == (True, "tinh", ())


def test_a_tree_of_today_is_left_alone():
    places = country().communes_of(country().province("08"))
    units = {place.unit_id: Unit(place.unit_id, place.name, 1, "tinh") for place in places}
    tree = Tree({"tinh": Unit("tinh", "Tỉnh Tuyên Quang", 0, None), **units}, {})
    proposal = propose(tree, {place.unit_id: place.code for place in places})
    assert not proposal.ways
    assert not proposal.born
