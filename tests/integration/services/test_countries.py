"""The provinces that benchmarks are about are such as the server works with."""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import selectinload

from protocol.messages import BulletinClass
from protocol.plan import Place, claims_at
from protocol.policy import merge
from server.domain.clashes import Occupant, clashes, hours_taken, occupant
from server.domain.recurrence import Recurrence, Rule, day_bounds, local_day
from server.domain.slots import claim_id
from server.services import aired, clashing, desk, planning, scheduling, units
from server.store.models import (
    ClusterRow,
    FrameRow,
    GroupMemberRow,
    GroupRow,
    SlotRow,
    SlotTargetRow,
)
from tests.factories.claims import NOON
from tests.factories.countries import BigProvince, Size, enter_country
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR

A_DAY = timedelta(days=1)
HALF_AN_HOUR_S = 1800.0


def test_every_unit_of_an_entered_country_publishes_its_plan(sessions, keyring):
    size = Size(communes=3, clusters=7, slots=120)
    with sessions.begin() as db:
        provinces = enter_country(db, size, provinces=2, keyring=keyring)
        assert [len(province.all_clusters) for province in provinces] == [7, 7]
        assert planning.publish_due_plans(db, now=NOON, keyring=keyring) == 2 * (1 + 3)
        assert planning.due_units(db, now=NOON, units=units.tree(db, today=local_day(NOON))) == []


def test_a_cluster_asked_about_alone_plays_what_it_plays_among_all(sessions):
    start, end = planning.window(NOON, 3)
    facts = {"start": start, "end": end, "now": NOON}
    with sessions.begin() as db:
        (province,) = enter_country(db, Size(communes=3, clusters=7, slots=120))
        _group_and_speak(db, province)
        tree = units.tree(db, today=local_day(NOON))
        together = scheduling.timelines(db, tree.clusters, units=tree, **facts)
        for cluster_id in tree.clusters:
            alone = scheduling.cluster_timeline(db, cluster_id=cluster_id, **facts)
            assert [_said(span) for span in alone] == [_said(span) for span in together[cluster_id]]


@pytest.mark.parametrize("local_start", [time(5, 10), time(23, 40), time(0, 5)])
@pytest.mark.parametrize(
    ("unit", "recurrence", "weekdays"),
    [("t1", "weekly", 2), ("t1", "once", 127), ("t1-x2", "daily", 127), ("t1-x2", "weekly", 64)],
)
def test_what_is_in_the_way_and_the_hours_taken_are_those_of_all_slots_one_by_one(
    sessions, local_start, unit, recurrence, weekdays
):
    with sessions.begin() as db:
        # More than a hundred clusters, and at some hours dozens of slots, some past midnight.
        (province,) = enter_country(db, Size(communes=3, clusters=120, slots=400))
        _group_and_speak(db, province)
        late = SlotRow.slot_id.like("%3")
        db.execute(update(SlotRow).where(late).values(local_start=time(23, 50)))
        early = SlotRow.slot_id.like("%7")
        db.execute(update(SlotRow).where(early).values(local_start=time(5)))
        # At three in the morning the longest come on other days, and one that is shorter does come.
        night = update(SlotRow).values(local_start=time(3), duration_s=3000.0)
        rare = {"recurrence": "monthly", "pattern": "BYMONTHDAY=1"}
        db.execute(night.where(SlotRow.slot_id.like("%5")).values(**rare))
        one = {"recurrence": "daily", "pattern": "", "duration_s": 600.0, "holidays": "any"}
        often = one | {"bulletin_class": "ordinary", "first_day": TODAY, "last_day": None}
        db.execute(night.where(SlotRow.slot_id == "s-t1-50").values(**often))
        tree = units.tree(db, today=local_day(NOON))
        rule = Rule(
            Recurrence(recurrence),
            local_start,
            timedelta(minutes=30),
            TODAY + A_DAY,
            TODAY + (A_DAY if recurrence == "once" else 300 * A_DAY),
            weekdays,
        )
        new = Occupant(
            "new",
            unit,
            "",
            tree.unit(unit).level_rank,
            "",
            BulletinClass.ORDINARY,
            rule,
            tree.clusters_under(unit),
        )
        every = [occupant(slot) for slot in planning.slots_of(db, units=tree)]
        facts = {"units": tree, "now": NOON, "actor": OPERATOR}
        found = clashing.in_the_way(db, new, **facts)
        assert [one.other.slot_id for one in found] == [
            one.other.slot_id for one in clashes(new, every, NOON)
        ]
        assert clashing.taken(db, new, **facts) == hours_taken(new, every, NOON)


@pytest.mark.parametrize("local_start", [time(5, 10), time(0), time(23, 30), time(23, 45)])
def test_what_only_touches_is_not_in_the_way_and_a_second_more_is(sessions, local_start):
    with sessions.begin() as db:
        lengths_s = (1.0, 299.5, 300.0, 600.0, 601.0, 2400.0, 3600.0, 3601.0, 7200.0)
        beside = [
            (before_s + more_s, length_s)
            for length_s in lengths_s
            for before_s in (-length_s, HALF_AN_HOUR_S)
            for more_s in (-1.0, -0.5, 0.0, 0.5, 1.0)
        ]
        (province,) = enter_country(db, Size(communes=1, clusters=1, slots=len(beside)))
        rows = db.scalars(select(SlotRow).order_by(SlotRow.slot_id)).all()
        for row, (after_s, length_s) in zip(rows, beside, strict=True):
            begins = datetime.combine(TODAY, local_start) + timedelta(seconds=after_s)
            row.local_start, row.duration_s = begins.time(), length_s
            row.bulletin_class, row.recurrence, row.weekdays = "ordinary", "daily", 127
            row.first_day, row.last_day, row.holidays, row.pattern = TODAY, None, "any", ""
        db.flush()  # they are read from the rows
        tree = units.tree(db, today=local_day(NOON))
        half_an_hour = timedelta(seconds=HALF_AN_HOUR_S)
        new = replace(
            occupant(next(iter(planning.slots_of(db, units=tree)))),
            slot_id="new",
            rule=Rule(Recurrence.DAILY, local_start, half_an_hour, TODAY + A_DAY),
            clusters=frozenset(province.all_clusters),
        )
        found = clashing.in_the_way(db, new, units=tree, now=NOON, actor=OPERATOR)
        assert {one.other.slot_id for one in found} == {
            row.slot_id
            for row, (after_s, length_s) in zip(rows, beside, strict=True)
            if max(0.0, after_s) < min(HALF_AN_HOUR_S, after_s + length_s)
        }


def test_a_cluster_goes_by_the_plans_of_the_units_above_it(sessions):
    start, end = planning.window(NOON, 3)
    facts = {"start": start, "end": end, "now": NOON}
    with sessions.begin() as db:
        (province,) = enter_country(db, Size(communes=3, clusters=7, slots=120))
        _group_and_speak(db, province)
        tree = units.tree(db, today=local_day(NOON))
        heard = planning.heard_by(db, tree.clusters, units=tree, **facts)
        for cluster_id in tree.clusters:
            chain = tree.chain_of_cluster(cluster_id)
            plans = [planning.plan_of(db, unit, units=tree, **facts) for unit in chain]
            assert heard[cluster_id].claims == claims_at(plans, Place(cluster_id, chain))
            assert heard[cluster_id].policy == merge(plans, chain[-1])


def test_what_is_still_to_come_of_a_day_is_what_each_slot_says_of_itself(sessions):
    with sessions.begin() as db:
        (province,) = enter_country(db, Size(communes=3, clusters=7, slots=120))
        _group_and_speak(db, province)
        for unit_id in (province.unit_id, province.communes[0]):
            for ahead in range(4):
                day = TODAY + ahead * A_DAY
                found = aired.day_of_unit(db, unit_id, day=day, now=NOON).entries
                told = [(one.claim_id, one.end, one.tally.planned) for one in found]
                assert sorted(told) == sorted(_coming(db, unit_id, day))


def _coming(db, unit_id: str, day) -> list[tuple[object, ...]]:
    tree = units.tree(db, today=day)
    heard_by = {*tree.subtree(unit_id), *tree.chain(unit_id)}
    start, end = day_bounds(day)
    return [
        (claim_id(slot.slot_id, begins), ends, len(slot.clusters & tree.clusters_under(unit_id)))
        for slot in planning.slots_of(db, units=tree)
        if slot.unit_id in heard_by and slot.clusters & tree.clusters_under(unit_id)
        for begins, ends in slot.rule.occurrences(start, end)
        if max(start, NOON) <= begins < end
    ]


def test_a_row_of_the_desk_shows_alone_what_it_shows_among_all(sessions):
    week = {"start": TODAY, "until": TODAY + 7 * A_DAY, "actor": OPERATOR, "now": NOON}
    with sessions.begin() as db:
        (province,) = enter_country(db, Size(communes=3, clusters=7, slots=120))
        given = {"owner_id": province.communes[1], "local_start": time(9), "local_end": time(10)}
        db.add(FrameRow(frame_id="f-given", unit_id=province.unit_id, **given))
        db.add(FrameRow(frame_id="f-own", unit_id=province.communes[2], kind="quiet", **given))
        db.flush()  # the desk reads the rows
        rows = [province.unit_id, *province.communes]
        together = desk.feed(db, rows, **week)
        alone = [desk.feed(db, [unit_id], **week) for unit_id in rows]
        assert together.units == tuple(one.units[0] for one in alone)
        assert {slot.slot_id: slot for slot in together.slots} == {
            slot.slot_id: slot for one in alone for slot in one.slots
        }
        owners = [{hours.owner for hours in unit.hours if hours.own} for unit in together.units]
        assert all(f"Đơn vị {unit_id}" in own for unit_id, own in zip(rows, owners, strict=True))


def _said(span: scheduling.TimelineSpan) -> tuple[object, ...]:
    losers = [loser.claim_id for loser in span.losers]
    return span.start, span.end, span.claim and span.claim.claim_id, span.unit_name, losers


def _group_and_speak(db, province: BigProvince) -> None:
    """Let a slot be for a group across communes, and one for where H'Mông is spoken."""
    commune, other, _ = province.communes
    one, its_neighbour = province.clusters[commune][:2]
    db.add(GroupRow(group_id="g-1", unit_id=province.unit_id, name="Chợ"))
    db.flush()  # its members refer to it
    db.add_all(
        GroupMemberRow(group_id="g-1", cluster_id=member)
        for member in (one, province.clusters[other][0])
    )
    db.get_one(ClusterRow, its_neighbour).languages = ["hmn"]
    daily = (
        select(SlotRow)
        .where(SlotRow.recurrence == "daily", SlotRow.withdrawn_at.is_(None))
        .options(selectinload(SlotRow.targets))
        .order_by(SlotRow.slot_id)
    )
    for_group = db.scalars(daily.where(SlotRow.unit_id == province.unit_id)).first()
    for_language = db.scalars(daily.where(SlotRow.unit_id == commune)).first()
    assert for_group is not None
    assert for_language is not None
    for_group.targets = [SlotTargetRow(kind="group", ref="g-1")]
    for_language.languages = ["hmn"]
    db.flush()  # the plans are compiled from the rows
