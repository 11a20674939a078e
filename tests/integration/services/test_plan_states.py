"""Who holds which plan, and what a late edit still reaches."""

from datetime import time, timedelta

from protocol.messages import Presence, PresenceState
from server.domain.plan_versions import TakeOver
from server.domain.recurrence import local_day
from server.services import plan_states
from server.services.units import tree
from server.store.models import PlanVersionRow
from tests.factories.claims import NOON
from tests.factories.slots import TODAY
from tests.factories.units import PROVINCE

S = timedelta(seconds=1)


def in_view(province, unit_id="xa-1", now=NOON):
    with province.sessions.begin() as db:
        units = tree(db, today=local_day(now))
        return plan_states.plans_in_view(db, unit_id, now=now, units=units)


def newest(province, unit_id="xa-1"):
    return province.run(plan_states.newest_version, unit_id=unit_id)


def holding(province, cluster, version, *, now=NOON, unit_id="xa-1"):
    node = f"n-{cluster}"
    here = Presence(node=node, state=PresenceState.HERE, plan_versions={unit_id: version})
    province.hear(node, here, now=now)


def edit_of(province, slot, begins, *, now):
    with province.sessions.begin() as db:
        units = tree(db, today=local_day(now))
        version = plan_states.newest_version(db, slot.unit_id)
        return plan_states.late_edit(
            db, slot.slot_id, version=version, begins=begins, now=now, units=units
        )


def test_a_cluster_is_behind_from_the_first_plan_it_lacks_until_it_says_that_it_has_the_newest(
    province,
):
    for cluster in ("xa-1-c1", "xa-1-c2"):
        province.commission(cluster)
    province.add_slot(now=NOON)
    first = newest(province)
    holding(province, "xa-1-c1", first)
    holding(province, "xa-1-c2", first)
    assert in_view(province).up_to_date == 2
    later = NOON + timedelta(hours=1)
    province.add_slot(local_start=time(6, 30), now=later)
    province.add_slot(local_start=time(7, 30), now=later + 2 * S)
    holding(province, "xa-1-c2", newest(province), now=later + 3 * S)
    view = in_view(province, now=later + 4 * S)
    behind, up_to_date = view.clusters
    assert (behind.cluster_id, behind.behind_since) == ("xa-1-c1", later)
    assert (up_to_date.cluster_id, up_to_date.behind_since) == ("xa-1-c2", None)
    [plan] = view.plans
    assert (plan.unit_id, plan.holders, plan.clusters) == ("xa-1", 1, 2)
    assert plan.until == TODAY + timedelta(days=13)
    assert in_view(province, PROVINCE, later + 4 * S).up_to_date == 1


def test_clusters_without_equipment_or_word_are_behind(province):
    province.commission("xa-1-c1")
    province.add_slot()
    states = {one.cluster_id: one for one in in_view(province).clusters}
    assert [states[one].liveness for one in ("xa-1-c1", "xa-1-c2")] == ["never", "none"]
    assert not any(one.up_to_date for one in states.values())
    assert all(one.behind_since == NOON for one in states.values())


def test_a_late_edit_is_taken_over_by_those_who_say_so_and_is_too_late_for_the_others(province):
    for cluster in ("xa-1-c1", "xa-1-c2"):
        province.commission(cluster)
        holding(province, cluster, 0)
    begins = NOON + 30 * S
    slot = province.add_slot(first_day=TODAY, local_start=time(12, 0, 30))
    assert plan_states.at_stake(slot, NOON) == begins
    before = edit_of(province, slot, begins, now=NOON + S)
    assert before.count(TakeOver.ON_ITS_WAY) == 2
    holding(province, "xa-1-c1", newest(province), now=NOON + 2 * S)
    gone = Presence(node="n-xa-1-c2", state=PresenceState.LOST)
    province.hear("n-xa-1-c2", gone, now=NOON + 2 * S)
    states = {
        one.cluster_id: one.state
        for one in edit_of(province, slot, begins, now=NOON + 3 * S).clusters
    }
    assert states == {"xa-1-c1": TakeOver.TAKEN, "xa-1-c2": TakeOver.UNREACHABLE}
    after = edit_of(province, slot, begins, now=begins)
    assert after.count(TakeOver.TAKEN, TakeOver.TOO_LATE) == 2


def test_a_withdrawal_in_the_middle_of_the_sound_is_late_too_and_far_ahead_is_not(province):
    slot = province.add_slot(first_day=TODAY, local_start=time(12, 0, 30))
    sounding = NOON + 40 * S
    withdrawn = province.withdraw(slot, now=sounding)
    assert plan_states.at_stake(withdrawn, sounding) == NOON + 30 * S
    assert plan_states.at_stake(withdrawn, NOON + timedelta(hours=1)) is None
    province.commission("xa-1-c1")
    edit = edit_of(province, withdrawn, NOON + 30 * S, now=sounding)
    assert edit.slot.withdrawn_at is not None
    assert {one.state for one in edit.clusters} == {TakeOver.TOO_LATE}


def test_versions_long_replaced_are_forgotten_but_never_the_newest(province):
    province.add_slot()
    later = NOON + timedelta(days=1)
    province.add_slot(local_start=time(6, 30), now=later)
    long_after = later + plan_states.VERSIONS_KEPT + timedelta(days=1)
    assert province.run(plan_states.forget, now=long_after) == 1
    (kept,) = province.rows(PlanVersionRow)
    assert kept.version == newest(province)
    assert province.run(plan_states.forget, now=long_after) == 0
