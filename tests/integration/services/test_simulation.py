"""What saving a slot would change, held against what saving it does change."""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from server.domain.authority import Role
from server.domain.errors import NotAllowedError, SlotRefusedError, UnknownThingError
from server.domain.recurrence import day_bounds, local_day
from server.services import scheduling, simulation, units
from server.store.base import Base
from tests.factories.claims import NOON
from tests.factories.provinces import CHIME, CLUSTERS, SPEECH, a_new_slot
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, an_actor

A_DAY = timedelta(days=1)
BOTH = {"unit_id": "tinh", "units": ("xa-1", "xa-2")}


def trial(province, *, replacing: str = "", actor=OPERATOR, plan_days=14, **new: object):
    return province.run(
        simulation.simulate,
        new=a_new_slot(**new),
        now=NOON,
        actor=actor,
        replacing=replacing,
        plan_days=plan_days,
    )


def heard(db, days):
    """What each cluster really sounds on some days."""
    tree = units.tree(db, today=local_day(NOON))
    start, end = day_bounds(days[0])[0], day_bounds(days[-1])[1]
    found = scheduling.timelines(db, CLUSTERS, start=start, end=end, now=NOON, units=tree)
    return {
        cluster: {key(span) for span in spans if span.claim and local_day(span.start) in days}
        for cluster, spans in found.items()
    }


def key(span):
    return span.start, span.end, span.title, span.unit_name, span.bulletin_class


def test_clusters_with_the_same_change_are_told_together(province):
    province.add_slot(title="Bản tin xã", local_start=time(5, 29, 50))
    effect = trial(province, title="Bản tin tỉnh", bulletin_class="priority", **BOTH)
    assert (effect.changed, effect.reached, effect.findings) == (4, 4, ())
    assert effect.days == tuple(TODAY + n * A_DAY for n in range(1, 8))
    mine, others = sorted(effect.groups, key=lambda group: group.clusters)
    assert [one for one, _ in mine.clusters] == ["xa-1-c1", "xa-1-c2"]
    first = mine.days[0]
    assert [span.title for span in first.before] == ["Bản tin xã"]
    assert [span.title for span in first.after] == ["Bản tin xã", "Bản tin tỉnh"]
    assert [loser.title for loser in first.after[1].losers] == ["Bản tin xã"]
    assert all(day.before == () for day in others.days)


def test_what_changes_nothing_says_what_it_loses_to(province):
    province.add_slot(title="Bản tin tỉnh", bulletin_class="priority", **BOTH)
    effect = trial(province)
    assert (effect.changed, effect.groups) == (0, ())
    assert [title for title, _ in effect.loses_to] == ["Bản tin tỉnh"]
    silent = trial(province, content_kind="live", assets=(), length_s=60.0, local_start=time(9))
    assert (silent.changed, silent.is_silent) == (0, True)


def test_a_change_tells_of_clusters_that_it_leaves_and_of_nothing_where_all_stays(province):
    slot = province.add_slot()
    same = trial(province, replacing=slot.slot_id)
    assert (same.changed, same.loses_to, same.findings) == (0, (), ())
    named = trial(province, replacing=slot.slot_id, units=(), clusters=("xa-1-c1", "xa-1-c2"))
    assert named.changed == 0
    fewer = trial(province, replacing=slot.slot_id, units=(), clusters=("xa-1-c1",))
    (group,) = fewer.groups
    assert [one for one, _ in group.clusters] == ["xa-1-c2"]
    assert [day.after for day in group.days] == [()] * 7


def test_a_clash_does_not_stop_it_and_is_told_beside(province):
    province.add_slot()
    effect = trial(province, title="Xen giữa", local_start=time(5, 30, 10))
    assert [finding.code for finding in effect.findings] == ["overlap"]
    assert effect.changed == 2


def test_who_may_not_and_what_cannot_be_are_refused(province):
    slot = province.add_slot()
    viewer = an_actor(Role.VIEWER)
    with pytest.raises(NotAllowedError):
        trial(province, actor=viewer)
    with pytest.raises(NotAllowedError):
        trial(province, actor=an_actor(unit_id="xa-2"))
    with pytest.raises(UnknownThingError):
        trial(province, replacing="s-none")
    with pytest.raises(SlotRefusedError):
        trial(province, title="")
    with pytest.raises(SlotRefusedError):
        trial(province, replacing=slot.slot_id, unit_id="xa-2", units=("xa-2",))
    with pytest.raises(SlotRefusedError):
        trial(province, recurrence="rrule", pattern="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31")


def test_a_slot_that_comes_later_is_looked_at_where_it_comes(province):
    effect = trial(province, recurrence="once", first_day=TODAY + 90 * A_DAY)
    assert effect.days == (TODAY + 90 * A_DAY,)
    assert effect.changed == 2


def test_it_looks_as_far_ahead_as_plans_go(province):
    weekly = {"recurrence": "rrule", "pattern": "FREQ=WEEKLY;BYDAY=MO"}
    counted = [len(trial(province, plan_days=days, **weekly).days) for days in (7, 14, 28)]
    assert counted == [1, 2, 4]


def test_nothing_is_written(province):
    slot = province.add_slot()

    def counted(db):
        return {
            table.name: db.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }

    before = province.run(counted)
    with province.sessions() as db:
        new = a_new_slot(local_start=time(6))
        simulation.simulate(db, new, now=NOON, actor=OPERATOR, replacing=slot.slot_id)
        assert not db.new
        assert not db.dirty
        assert not db.deleted
    assert province.run(counted) == before


asked = st.builds(
    a_new_slot,
    title=st.sampled_from(["Một", "Hai", "Ba"]),
    bulletin_class=st.sampled_from(["ordinary", "priority"]),
    local_start=st.sampled_from([time(5, 30), time(5, 30, 20), time(5, 31), time(23, 59, 50)]),
    length_s=st.sampled_from([None, 20.0, 60.0, 120.0]),
    assets=st.sampled_from([(SPEECH.digest,), (SPEECH.digest, CHIME.digest)]),
    start_mode=st.sampled_from(["cut", "wait", "next"]),
    wait_s=st.just(15.0),
    when_cut=st.sampled_from(["rejoin", "resume", "drop"]),
    recurrence=st.sampled_from(["daily", "once"]),
    first_day=st.sampled_from([TODAY, TODAY + A_DAY]),
)
places = st.sampled_from(
    [
        {"unit_id": "tinh", "units": ("tinh",)},
        {"unit_id": "tinh", "units": ("xa-2",)},
        {"unit_id": "xa-1", "units": ("xa-1",)},
        {"unit_id": "xa-1", "units": (), "clusters": ("xa-1-c1",)},
        {"unit_id": "xa-2", "units": ("xa-2",), "exclude": ("xa-2-c2",)},
    ]
)
wishes = st.builds(lambda new, place: replace(new, **place), asked, places)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(wishes, max_size=5), wishes, st.booleans())
def test_what_is_foretold_is_what_is_found_after_saving(on_sqlite, there, new, is_change):
    province = on_sqlite

    def save(db, wish, now):
        try:
            with db.begin_nested():
                return scheduling.add_slot(
                    db, wish, now=now, actor=OPERATOR, keyring=province.keyring
                )
        except SlotRefusedError:
            return None

    with province.sessions() as db:  # nothing is committed: each example begins anew
        saved = [save(db, wish, NOON - timedelta(minutes=9)) for wish in there]
        old = next((row for row in saved if row and row.unit_id == new.unit_id), None)
        replacing = old.slot_id if old and is_change else ""
        try:
            told = simulation.simulate(db, new, now=NOON, actor=OPERATOR, replacing=replacing)
        except SlotRefusedError:
            return
        if told.findings:
            return
        before = heard(db, told.days)
        facts = {"now": NOON, "actor": OPERATOR, "keyring": province.keyring}
        if replacing:
            scheduling.update_slot(db, replacing, new, version=1, **facts)
        else:
            scheduling.add_slot(db, new, **facts)
        after = heard(db, told.days)
        changes = {one: group.days for group in told.groups for one, _ in group.clusters}
        for cluster in CLUSTERS:
            days = changes.get(cluster, ())
            gone = {key(span) for day in days for span in day.before}
            come = {key(span) for day in days for span in day.after}
            assert gone <= before[cluster]
            assert {one for one in (before[cluster] - gone) | come if one[1] > NOON} == {
                one for one in after[cluster] if one[1] > NOON
            }
