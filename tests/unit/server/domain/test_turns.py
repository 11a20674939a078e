"""No two that overlap speak in the same turn, and nobody waits longer than there are neighbours."""

from random import Random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.distances import distance_m
from server.domain.turns import Horn, neighbours, turns
from tests.factories.horns import near_horns

horns = near_horns(most=14)


@given(horns)
def test_no_two_that_overlap_share_a_turn(some):
    near = neighbours(some)
    given_turns = turns(near)
    assert given_turns.keys() == {horn.cluster_id for horn in some}
    for one, others in near.items():
        assert all(given_turns[one] != given_turns[other] for other in others)


@given(horns)
def test_two_overlap_just_where_their_circles_do_and_each_knows_of_the_other(some):
    near = neighbours(some)
    for one in some:
        for other in some:
            if one != other:
                meets = distance_m(one.point, other.point) < one.reach_m + other.reach_m
                assert (other.cluster_id in near[one.cluster_id]) is meets
                assert near[one.cluster_id].get(other.cluster_id) == near[other.cluster_id].get(
                    one.cluster_id
                )


@given(horns)
def test_there_are_never_more_turns_than_one_and_the_most_neighbours(some):
    near = neighbours(some)
    for cluster, turn in turns(near).items():
        assert 0 <= turn <= len(near[cluster])
    used = set(turns(near).values())
    assert used == set(range(len(used)))


@given(horns, st.randoms())
def test_the_same_clusters_get_the_same_turns_in_whatever_order_they_are_named(some, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    assert turns(neighbours(shuffled)) == turns(neighbours(some))


def a_row(*metres_east: float, reach_m: float = 300.0):
    degree_m = distance_m((21.0, 105.0), (21.0, 106.0))
    return [
        Horn(f"c{number}", 21.0, 105.0 + east / degree_m, reach_m)
        for number, east in enumerate(metres_east)
    ]


def test_a_degree_of_latitude_is_111_kilometres():
    assert distance_m((21, 105), (22, 105)) == pytest.approx(111_195, abs=1)


def test_along_a_road_two_turns_are_enough_and_a_lone_horn_waits_for_nobody():
    road = neighbours(a_row(0, 500, 1000, 1500, 9000))
    assert set(road["c1"]) == {"c0", "c2"}
    assert turns(road) == {"c1": 0, "c2": 1, "c0": 1, "c3": 0, "c4": 0}


def test_three_that_all_overlap_take_three_turns():
    assert sorted(turns(neighbours(a_row(0, 200, 400))).values()) == [0, 1, 2]


def test_a_province_is_worked_out_in_no_time():
    random = Random(866)  # noqa: S311 - places, not secrets
    province = [
        Horn(
            f"c{number}",
            21.0 + random.random() * 0.4,
            105.0 + random.random() * 0.4,
            random.choice((200.0, 300.0, 600.0)),
        )
        for number in range(866)
    ]
    began_s = process_time()
    turns(neighbours(province))
    assert process_time() - began_s < 0.5
