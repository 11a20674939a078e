"""Who may do what, where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.authority import Action, Actor, Grant, Role, demand, may
from server.domain.errors import NotAllowedError
from tests.factories.units import a_small_tree, actions, actors, an_actor, trees

ON_AIR = {"view", "upload", "schedule", "announce", "announce-emergency", "stop", "hush", "tend"}
TABLE = {
    Role.ADMIN: {*ON_AIR, "approve", "maintain", "administer"},
    Role.BROADCASTER: {*ON_AIR, "approve"},
    Role.COMMUNE_OFFICER: ON_AIR,
    Role.TECHNICIAN: {"view", "maintain", "tend"},
    Role.VIEWER: {"view"},
}


@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_what_its_row_of_the_table_says(role):
    actor, chain = an_actor(role, "xa-1"), ("tinh", "xa-1")
    assert {action.value for action in Action if may(actor, action, chain)} == TABLE[role]


def test_whoever_was_granted_nothing_may_do_nothing():
    nobody = Actor("khach", ())
    assert not any(may(nobody, action, ("tinh", "xa-1")) for action in Action)


def test_a_grant_at_the_province_reaches_down_but_one_at_a_commune_not_up_nor_sideways():
    tree = a_small_tree()
    above, below = an_actor(unit_id="tinh"), an_actor(unit_id="xa-1")
    assert may(above, Action.STOP, tree.chain("thon-1"))
    assert may(below, Action.STOP, tree.chain("thon-1"))
    assert not may(below, Action.STOP, tree.chain("tinh"))
    assert not may(below, Action.STOP, tree.chain("xa-2"))


@given(trees(), actors, actions)
def test_a_grant_never_reaches_outside_its_subtree(tree, actor, action):
    known = [grant for grant in actor.grants if grant.unit_id in tree.units]
    inside = {unit for grant in known for unit in tree.subtree(grant.unit_id)}
    for unit in tree.units:
        if unit not in inside:
            assert not may(actor, action, tree.chain(unit))


@given(trees(), actors, actions, st.data())
def test_what_one_may_do_at_a_unit_one_may_do_everywhere_under_it(tree, actor, action, data):
    unit = data.draw(st.sampled_from(sorted(tree.units)))
    if may(actor, action, tree.chain(unit)):
        assert all(may(actor, action, tree.chain(below)) for below in tree.subtree(unit))


def test_only_the_operator_of_the_machine_may_act_above_all_units():
    assert may(Actor.operator("loa"), Action.ADMINISTER, ())
    assert not may(an_actor(Role.ADMIN, "tinh"), Action.ADMINISTER, ())


def test_a_refusal_says_what_was_tried_and_where():
    with pytest.raises(NotAllowedError) as refused:
        demand(an_actor(Role.VIEWER), Action.ANNOUNCE, ("tinh", "xa-1"))
    assert (refused.value.action, refused.value.unit_id) == ("announce", "xa-1")


def test_grants_add_up():
    both = Actor("ai-do", (Grant(Role.TECHNICIAN, "tinh"), Grant(Role.COMMUNE_OFFICER, "xa-1")))
    assert may(both, Action.MAINTAIN, ("tinh", "xa-2"))
    assert may(both, Action.ANNOUNCE, ("tinh", "xa-1"))
    assert not may(both, Action.ANNOUNCE, ("tinh", "xa-2"))
