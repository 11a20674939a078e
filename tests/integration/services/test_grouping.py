"""Groups: who may change them, and that plans which target them follow."""

from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta

import pytest

from server.domain.authority import Role
from server.domain.clashes import WideningRefusedError
from server.domain.errors import (
    GroupRefusedError,
    NotAllowedError,
    TakenError,
    UnknownThingError,
)
from server.services import framing, grouping, planning, units
from server.store.models import AuditRow, GroupRow, SlotRow
from tests.factories.claims import NOON, at
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, an_actor

FACTS = {"now": NOON, "actor": OPERATOR}
LYING_OVER = {"lie_over": True}
GROUP = {"group_id": "huyen", "name": "Huyện cũ", "unit_id": "tinh", "clusters": ("xa-1-c1",)}


@pytest.fixture
def grouped(province):
    province.run(grouping.create_group, **GROUP, **FACTS)
    return province


def change(province, *clusters: str, **facts: object):
    wanted = {"name": "Huyện cũ", **FACTS, **facts}
    return province.run(grouping.change_group, group_id="huyen", clusters=clusters, **wanted)


def refusals(call, *args: object, **facts: object) -> list[str]:
    with pytest.raises(GroupRefusedError) as refused:
        call(*args, **facts)
    return [finding.code for finding in refused.value.findings]


def test_a_group_is_renamed_and_gets_other_members_and_the_audit_says_so(grouped):
    change(grouped, "xa-2-c1", "xa-2-c2", name="Huyện Đồng Văn (cũ)")
    made = grouped.run(grouping.group, group_id="huyen")
    assert (made.name, made.clusters) == ("Huyện Đồng Văn (cũ)", ("xa-2-c1", "xa-2-c2"))
    (deed,) = grouped.rows(AuditRow, action="change-group")
    assert deed.detail["joined"] == ["xa-2-c1", "xa-2-c2"]
    assert deed.detail["left"] == ["xa-1-c1"]
    change(grouped, "xa-2-c2", "xa-2-c1", name="Huyện Đồng Văn (cũ)")
    assert len(grouped.rows(AuditRow, action="change-group")) == 1


def test_what_cannot_be_a_group_is_refused_and_nothing_is_kept(grouped):
    wanted = {**GROUP, "group_id": "g-2", **FACTS}
    cases = {
        "bad-id": {"group_id": "Nhóm"},
        "bad-name": {"name": " \n"},
        "out-of-scope": {"unit_id": "xa-2"},
    }
    for code, wrong in cases.items():
        assert refusals(grouped.run, grouping.create_group, **{**wanted, **wrong}) == [code]
    with pytest.raises(TakenError):
        grouped.run(grouping.create_group, **{**wanted, "group_id": "huyen"})
    with pytest.raises(UnknownThingError):
        grouped.run(grouping.create_group, **{**wanted, "clusters": ("c-9",)})
    assert len(grouped.rows(GroupRow)) == 1


def test_only_who_administers_its_unit_changes_a_group(grouped):
    for actor in (an_actor(Role.ADMIN, "xa-1"), an_actor(Role.BROADCASTER, "tinh")):
        for call in (
            lambda a: change(grouped, actor=a),
            lambda a: grouped.run(grouping.delete_group, group_id="huyen", now=NOON, actor=a),
        ):
            with pytest.raises(NotAllowedError):
                call(actor)


def test_of_two_who_change_a_group_the_second_is_told(grouped):
    seen = grouped.run(grouping.group, group_id="huyen").version

    def attempt(cluster: str) -> str:
        try:
            change(grouped, cluster, version=seen)
        except GroupRefusedError as refused:
            return refused.findings[0].code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, ("xa-2-c1", "xa-2-c2"))) == ["done", "group-changed"]


def test_plans_that_target_a_group_follow_its_members(grouped):
    grouped.add_slot(unit_id="tinh", units=(), groups=("huyen",))
    plan = {"keyring": grouped.keyring}
    grouped.run(planning.publish_due_plans, now=at(1), **plan)

    def targets() -> tuple[str, ...]:
        said = grouped.said("unit/tinh/plan")[-1].msg
        return said.claims[0].targets.clusters

    assert targets() == ("xa-1-c1",)
    change(grouped, "xa-2-c2")
    tree = grouped.run(units.tree, today=TODAY)
    assert "tinh" in grouped.run(planning.due_units, now=at(2), units=tree)
    grouped.run(planning.publish_due_plans, now=at(2), **plan)
    assert targets() == ("xa-2-c2",)


def widened(grouped, *clusters: str, **facts: object):
    """Widen the group, and tell what stood in the way."""
    with pytest.raises(WideningRefusedError) as refused:
        change(grouped, *clusters, **facts)
    codes = [finding.code for finding in refused.value.findings]
    ways = [dict(one.changes) for one in refused.value.offers]
    return codes, [one.other.slot_id for one in refused.value.clashes], ways


def test_a_group_is_not_widened_into_the_time_of_others(grouped):
    grouped.add_slot(unit_id="tinh", units=(), groups=("huyen",), title="Thời sự")
    own = grouped.add_slot(unit_id="xa-2", units=("xa-2",))
    grouped.add_slot(unit_id="xa-2", units=("xa-2",), local_start=time(6))
    codes, others, ways = widened(grouped, "xa-1-c1", "xa-2-c1")
    assert codes == ["wider-clashes", "overlap"]
    assert others == [own.slot_id]
    assert ways == [LYING_OVER]
    assert grouped.run(grouping.group, group_id="huyen").clusters == ("xa-1-c1",)
    assert not grouped.rows(AuditRow, action="change-group")
    # What leaves, and what joins where nobody else is, stands in nobody's way.
    change(grouped, "xa-1-c2")


def test_slots_that_a_group_widens_lie_over_those_of_lower_levels_where_one_may_decide(grouped):
    upper = grouped.add_slot(unit_id="tinh", units=(), groups=("huyen",))
    own = grouped.add_slot(unit_id="xa-2", units=("xa-2",))
    change(grouped, "xa-1-c1", "xa-2-c1", lie_over=True)
    (row,) = grouped.rows(SlotRow, slot_id=upper.slot_id)
    assert (row.overrides, row.version) == ([own.slot_id], 2)
    (noted,) = grouped.rows(AuditRow, action="change-group")
    assert noted.detail["lies_over"] == {upper.slot_id: [own.slot_id]}
    change(grouped, "xa-1-c1", "xa-2-c1", "xa-2-c2")


def test_nobody_lies_over_slots_of_their_own_level_by_widening_a_group(grouped):
    grouped.add_slot(unit_id="tinh", units=(), groups=("huyen",))
    grouped.add_slot(unit_id="tinh", units=("xa-2",))
    for lie_over in (False, True):
        _, others, ways = widened(grouped, "xa-1-c1", "xa-2-c1", lie_over=lie_over)
        assert (len(others), ways) == (1, [])


def test_a_group_is_not_widened_into_the_quiet_hours_of_a_commune(grouped):
    facts = {"now": NOON, "actor": OPERATOR, "keyring": grouped.keyring}
    quiet = framing.NewFrame("xa-2", "quiet", time(22), time(6))
    grouped.run(framing.add_frame, new=quiet, **facts)
    grouped.add_slot(unit_id="tinh", units=(), groups=("huyen",), title="Thời sự")
    for lie_over in (False, True):
        codes, others, ways = widened(grouped, "xa-1-c1", "xa-2-c1", lie_over=lie_over)
        assert (codes, others, ways) == (["wider-quiet"], [], [])
    assert grouped.run(grouping.group, group_id="huyen").clusters == ("xa-1-c1",)
    change(grouped, "xa-1-c1", "xa-1-c2")


def test_a_group_is_forgotten_only_when_no_slot_targets_it(grouped):
    slot = grouped.add_slot(unit_id="tinh", units=(), groups=("huyen",), title="Thời sự")
    forget = {"group_id": "huyen", "now": at(1), "actor": OPERATOR}
    assert refusals(grouped.run, grouping.delete_group, **forget) == ["group-in-use"]
    grouped.withdraw(slot)
    grouped.run(grouping.delete_group, **forget)
    assert not grouped.rows(GroupRow)
    with pytest.raises(UnknownThingError):
        grouped.run(grouping.delete_group, **forget)


def test_ids_are_made_of_names_and_numbered(grouped):
    made = grouped.run(grouping.free_id, unit_id="tinh", name="Vùng Cao")
    assert made == "tinh-vung-cao"
    grouped.run(grouping.create_group, **{**GROUP, "group_id": made}, **FACTS)
    assert grouped.run(grouping.free_id, unit_id="tinh", name="Vùng cao") == "tinh-vung-cao-2"


def test_a_group_is_seen_by_whom_it_concerns(grouped):
    tree = grouped.run(units.tree, today=TODAY + timedelta(days=1))
    found = grouped.run(grouping.groups)
    seen = {
        unit: [one.group_id for one in grouping.visible(found, an_actor(unit_id=unit), tree)]
        for unit in ("tinh", "xa-1", "xa-2")
    }
    assert seen == {"tinh": ["huyen"], "xa-1": ["huyen"], "xa-2": []}
