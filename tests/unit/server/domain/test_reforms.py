"""A reform is drawn whole or not at all, and what is drawn is a tree."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given

from server.domain.cluster_import import ClusterFacts
from server.domain.reform_drawing import drawn
from server.domain.reforms import Hand, How, VillageWay, Way
from tests.factories.reforms import (
    DAY,
    a_ground,
    a_new_unit,
    a_proposal,
    a_way,
    grounds_and_proposals,
)
from tests.factories.slots import TODAY
from tests.factories.units import a_tree


def codes(proposal, ground=None) -> list[str]:
    return [finding.code for finding in drawn(ground or a_ground(), proposal).findings]


@given(grounds_and_proposals())
def test_whatever_is_asked_for_what_is_drawn_without_a_finding_is_a_tree(asked):
    ground, proposal = asked
    drawing = drawn(ground, proposal)
    before, after = drawing.before, drawing.after
    assert before == ground.tree
    assert after.roots == before.roots
    for unit in after.units:
        assert after.chain(unit)[0] == after.roots[0]
    if drawing.findings:
        return
    assert set(after.clusters.values()) <= set(after.units)
    assert not set(drawing.ended) & set(after.units)
    assert {new.unit_id for new in proposal.born} <= set(after.units)
    moved = {move.cluster_id: move.after for move in drawing.moves}
    assert after.clusters == {**before.clusters, **moved}


def test_a_commune_goes_whole_to_the_one_that_takes_its_place():
    drawing = drawn(a_ground(), a_proposal())
    assert not drawing.findings
    assert [(m.cluster_id, m.before, m.after) for m in drawing.moves] == [("c-2", "xa-2", "xa-moi")]
    assert drawing.ended == ("xa-2",)
    assert drawing.after.chain_of_cluster("c-2") == ("tinh", "xa-moi")


def test_units_under_one_that_ends_go_where_it_goes_or_where_they_are_told():
    whole = drawn(a_ground(), a_proposal(born=(a_new_unit(),), ways=(a_way("xa-1"),)))
    assert whole.after.chain("thon-1") == ("tinh", "xa-moi", "thon-1")
    told = a_way("xa-1", children="xa-2")
    assert drawn(a_ground(), a_proposal(ways=(told,))).after.chain("thon-2")[1] == "xa-2"
    left = a_way("xa-1", how=How.STAY, to=(), villages=(VillageWay("thôn C-1", "xa-moi"),))
    findings = drawn(a_ground(), a_proposal(ways=(left,))).findings
    assert [one.code for one in findings] == ["reform-child-left"]
    assert dict(findings[0].fields)["units"] == "Đơn vị thon-1, Đơn vị thon-2"


def test_a_district_ends_and_its_communes_stand_under_the_province():
    tree = a_tree({"tinh": None, "huyen": "tinh", "xa": "huyen"}, {"c": "xa"})
    way = Way("huyen", children="tinh", to=())
    drawing = drawn(a_ground(tree), a_proposal(born=(), ways=(way,)))
    assert not drawing.findings
    assert drawing.after.chain_of_cluster("c") == ("tinh", "xa")
    assert not drawing.moves
    assert [(one.cluster_id, one.after) for one in drawing.reparented] == [("xa", "tinh")]


def a_split(**facts: object):
    """Make a commune of three clusters that goes to the nearer of two new ones."""
    tree = a_tree({"tinh": None, "xa": "tinh"}, dict.fromkeys(("bac", "giua", "nam"), "xa"))
    places = {"bac": 23.0, "giua": 22.5, "nam": 22.0}
    known = {
        one: ClusterFacts(one, "xa", f"Cụm {one}", "Thôn", latitude, 105.0)
        for one, latitude in places.items()
    }
    ground = a_ground(tree, facts={**known, **facts})
    born = (
        a_new_unit("n-bac", latitude=23.01),
        a_new_unit("n-nam", latitude=21.99),
    )
    way = Way("xa", how=How.NEAREST, to=("n-bac", "n-nam"))
    return ground, a_proposal(born=born, ways=(way,))


def test_clusters_go_to_the_nearest_and_a_hand_settles_a_tie():
    ground, proposal = a_split()
    drawing = drawn(ground, proposal)
    assert [(one.cluster_id, one.why) for one in drawing.undecided] == [("giua", "tie")]
    assert [one.code for one in drawing.findings] == ["reform-tie"]
    settled = drawn(ground, replace(proposal, hands=(Hand("giua", "n-nam"),)))
    assert not settled.findings
    assert settled.after.clusters == {"bac": "n-bac", "giua": "n-nam", "nam": "n-nam"}


def test_a_cluster_without_coordinates_is_named_for_a_hand():
    nowhere = ClusterFacts("bac", "xa", "Cụm chợ", "Thôn")
    ground, proposal = a_split(bac=nowhere)
    (first, _) = drawn(ground, replace(proposal, hands=())).findings
    assert first.code == "reform-no-coordinates"
    assert dict(first.fields) == {"at": "hands", "count": "1", "clusters": "Cụm chợ"}


def test_east_and_west_count_for_less_than_north_and_south():
    """At 22.5 degrees north a degree of longitude is a thirteenth shorter than one of latitude."""
    east = ClusterFacts("bac", "xa", "Cụm", "Thôn", 22.0, 105.0)
    ground, proposal = a_split(bac=east)
    born = (
        a_new_unit("n-bac", latitude=22.0, longitude=105.105),
        a_new_unit("n-nam", latitude=22.1, longitude=105.0),
    )
    assert drawn(ground, replace(proposal, born=born)).after.clusters["bac"] == "n-bac"


def test_villages_are_told_apart_by_name_and_what_is_left_of_an_ending_unit_is_named():
    by_village = a_way("xa-1", how=How.STAY, to=(), children="tinh", villages=())
    finding = drawn(a_ground(), a_proposal(ways=(by_village,))).findings[0]
    assert (finding.code, dict(finding.fields)["clusters"]) == ("reform-left", "Cụm c-1")
    village = (VillageWay("THON C-1", "xa-2"),)
    told = a_proposal(ways=(replace(by_village, villages=village),))
    assert drawn(a_ground(), told).after.clusters["c-1"] == "xa-2"
    lives = a_proposal(ways=(replace(by_village, ends=False, children=None),))
    assert drawn(a_ground(), lives).after.clusters["c-1"] == "xa-1"


def test_a_unit_that_lives_on_may_take_the_place_of_another():
    drawing = drawn(a_ground(), a_proposal(born=(), ways=(a_way("xa-2", to=("xa-1",)),)))
    assert not drawing.findings
    assert drawing.after.clusters["c-2"] == "xa-1"
    assert drawing.takers("xa-2") == ("xa-1",)


WRONG = {
    "reform-past": a_proposal(valid_from=TODAY - timedelta(days=1)),
    "reform-unknown-unit": a_proposal(under="no"),
    "reform-nothing": a_proposal(born=(), ways=()),
    "bad-id": a_proposal(born=(a_new_unit("Xã mới"),), ways=()),
    "bad-name": a_proposal(born=(a_new_unit(name=" "),), ways=()),
    "reform-id-taken": a_proposal(born=(a_new_unit("xa-1"),), ways=()),
    "reform-unknown-level": a_proposal(born=(a_new_unit(level_rank=12),), ways=()),
    "reform-bad-parent": a_proposal(born=(a_new_unit(parent_id="xa-9"),), ways=()),
    "reform-level": a_proposal(born=(a_new_unit(parent_id="xa-1"),), ways=()),
    "reform-bad-point": a_proposal(born=(a_new_unit(longitude=None),), ways=()),
    "reform-unit-twice": a_proposal(ways=(a_way(), a_way())),
    "reform-bad-target": a_proposal(ways=(a_way(to=("xa-2",)),)),
    "reform-one-target": a_proposal(ways=(a_way(to=("xa-moi", "xa-1")),)),
    "reform-no-target": a_proposal(ways=(a_way(how=How.NEAREST, to=()),)),
    "reform-no-point": a_proposal(
        born=(a_new_unit(latitude=None, longitude=None),), ways=(a_way(how=How.NEAREST),)
    ),
    "reform-village": a_proposal(ways=(a_way(villages=(VillageWay("Thôn lạ", "xa-1"),)),)),
    "reform-cluster-twice": a_proposal(hands=(Hand("c-2", "xa-1"), Hand("c-2", "xa-moi"))),
    "reform-unknown-cluster": a_proposal(hands=(Hand("c-9", "xa-1"),)),
    "reform-circle": a_proposal(
        born=(), ways=(Way("xa-1", ends=False, how=How.STAY, parent="thon-1"),)
    ),
}


@pytest.mark.parametrize("code", WRONG)
def test_each_broken_rule_is_named_and_nothing_is_drawn_that_could_be_done(code):
    drawing = drawn(a_ground(), WRONG[code])
    assert [finding.code for finding in drawing.findings] == [code]


def test_units_and_clusters_with_a_later_change_of_their_own_are_left_alone():
    for one in ("xa-2", "c-2"):
        ground = a_ground(later={one: date(2027, 1, 1)})
        (finding,) = drawn(ground, a_proposal()).findings
        assert (finding.code, finding.fields["day"]) == ("reform-later", "01/01/2027")
    assert codes(a_proposal(hands=(Hand("c-2", "xa-moi"),)), a_ground(young=frozenset({"xa-2"})))


def test_the_day_itself_may_be_today():
    assert not drawn(a_ground(today=DAY), a_proposal()).findings


def test_hundreds_of_clusters_are_drawn_in_a_moment():
    parents = {"tinh": None, **{f"xa-{n}": "tinh" for n in range(120)}}
    tree = a_tree(parents, {f"c-{n}": f"xa-{n % 120}" for n in range(866)})
    born = tuple(a_new_unit(f"n-{n}", latitude=22 + n / 100) for n in range(40))
    near = tuple(new.unit_id for new in born)
    ways = tuple(Way(f"xa-{n}", how=How.NEAREST, to=near) for n in range(120))
    drawing = drawn(a_ground(tree), a_proposal(born=born, ways=ways))
    assert len(drawing.moves) + len(drawing.undecided) == 866
