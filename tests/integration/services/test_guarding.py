"""On PostgreSQL the database itself refuses two slots at one time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import time, timedelta
from itertools import count
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import func, select, update

from server.domain.clashes import SlotClashError, clashes, occupant
from server.domain.recurrence import Recurrence, Rule, local_day
from server.services import copies, desk_changes, grouping, guarding, scheduling, units
from server.services.slot_hand import Hand
from server.services.slot_moves import Scope
from server.services.slot_requests import value_of, write
from server.store.holds import SLOT_HOLDS
from server.store.models import ClusterUnitRow, SlotRow
from tests.factories.claims import NOON
from tests.factories.provinces import Province, a_new_slot
from tests.factories.slots import TODAY, rules
from tests.factories.units import OPERATOR

A_DAY = timedelta(days=1)


def save_unchecked(
    province: Province, slot_id: str, new: scheduling.NewSlot, together: Barrier | None = None
) -> None:
    """Save a slot as a program would that has forgotten to ask."""
    with province.sessions.begin() as db:
        tree = units.tree(db, today=local_day(NOON))
        slot = value_of(new, {}, tree, slot_id=slot_id, created_at=NOON)
        row = SlotRow(
            slot_id=slot_id,
            unit_id=new.unit_id,
            created_at=NOON,
            created_by="ai-do",
            items=[],
            targets=[],
        )
        write(row, new, slot, {})
        db.add(row)
        db.flush()  # holds refer to it
        if together is not None:
            together.wait(timeout=20)
        guarding.hold(db, occupant(slot, new.override), units=tree, now=NOON)


def asked(**overrides: object) -> scheduling.NewSlot:
    live = {"content_kind": "live", "assets": (), "length_s": 60.0}
    return a_new_slot(**{**live, **overrides})


def held(province) -> int:
    with province.sessions.begin() as db:
        return db.scalar(select(func.count()).select_from(SLOT_HOLDS))


@pytest.mark.slow
def test_of_two_who_save_at_once_without_asking_the_database_takes_one(on_postgres):
    together = Barrier(2)

    def save(slot_id: str) -> bool:
        try:
            save_unchecked(on_postgres, slot_id, asked(), together=together)
        except SlotClashError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        saved = list(pool.map(save, ["s-one", "s-two"]))
    assert sorted(saved) == [False, True]
    assert len(on_postgres.rows(SlotRow)) == 1


def test_a_withdrawn_slot_holds_nothing(on_postgres):
    slot = on_postgres.add_slot()
    assert held(on_postgres)
    on_postgres.withdraw(slot)
    assert not held(on_postgres)
    assert on_postgres.add_slot()


def test_a_higher_slot_that_may_lie_over_a_lower_one_is_not_held_against_it(on_postgres):
    own = on_postgres.add_slot()
    above = {"unit_id": "tinh", "units": ("tinh",)}
    assert on_postgres.add_slot(**above, override=(own.slot_id,))


def test_what_no_longer_reaches_a_cluster_stands_in_nobodys_way_there(on_postgres):
    on_postgres.add_slot(units=("xa-1",))
    with on_postgres.sessions.begin() as db:
        db.execute(
            update(ClusterUnitRow)
            .where(ClusterUnitRow.cluster_id == "xa-1-c2")
            .values(unit_id="xa-2")
        )
    assert on_postgres.add_slot(unit_id="xa-2", units=("xa-2",))
    assert on_postgres.run(guarding.refresh, now=NOON + A_DAY) == 2
    assert on_postgres.run(guarding.refresh, now=NOON + A_DAY) == 0


def test_two_that_a_reform_has_brought_together_stay_on_air(on_postgres):
    on_postgres.add_slot(units=("xa-1",))
    on_postgres.add_slot(unit_id="xa-2", units=(), clusters=("xa-2-c1",))
    with on_postgres.sessions.begin() as db:
        db.execute(
            update(ClusterUnitRow)
            .where(ClusterUnitRow.cluster_id == "xa-2-c1")
            .values(unit_id="xa-1")
        )
    on_postgres.run(guarding.refresh, now=NOON + A_DAY)
    with on_postgres.sessions.begin() as db:
        guarded = select(SLOT_HOLDS.c.slot_id, SLOT_HOLDS.c.guarded).distinct()
        assert sorted(row.guarded for row in db.execute(guarded)) == [False, True]
    assert all(row.withdrawn_at is None for row in on_postgres.rows(SlotRow))


def guarded(province, slot_id: str) -> bool:
    """Whether the database has the time of a slot behind its wall."""
    with province.sessions.begin() as db:
        mine = select(SLOT_HOLDS.c.guarded).where(SLOT_HOLDS.c.slot_id == slot_id)
        found = db.scalars(mine).all()
    return bool(found) and all(found)


@pytest.mark.slow
def test_what_is_brought_back_copied_or_reached_by_a_wider_group_is_held_at_once(on_postgres):
    facts = {"now": NOON, "actor": OPERATOR}

    def done(deed, *args: object, **more: object):
        made = {"keyring": on_postgres.keyring, **facts}
        return on_postgres.run(lambda db: deed(Hand(db, **made), *args, **more))

    slot = on_postgres.add_slot(recurrence="once", first_day=TODAY + A_DAY)
    done(desk_changes.withdraw, slot.slot_id, Scope.ALL, TODAY + A_DAY, version=1)
    assert held(on_postgres) == 0
    done(desk_changes.undo)
    assert guarded(on_postgres, slot.slot_id)
    wish = copies.Wish("xa-1", TODAY + A_DAY, 1, (TODAY + 5 * A_DAY,))
    assert done(copies.copy, wish, only_free=False)[0] == 1
    assert all(guarded(on_postgres, row.slot_id) for row in on_postgres.rows(SlotRow))
    group = {"group_id": "nhom", "name": "Nhóm"}
    made = {**group, "unit_id": "tinh", "clusters": ("xa-1-c1",)}
    on_postgres.run(grouping.create_group, **made, **facts)
    over = on_postgres.add_slot(
        unit_id="tinh", units=(), groups=("nhom",), local_start=time(9), recurrence="daily"
    )
    on_postgres.run(grouping.change_group, **group, clusters=("xa-1-c1", "xa-2-c1"), **facts)
    with pytest.raises(SlotClashError):
        save_unchecked(
            on_postgres, "s-late", asked(unit_id="xa-2", units=("xa-2",), local_start=time(9))
        )
    assert guarded(on_postgres, over.slot_id)


numbers = count()


@pytest.mark.slow
@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(rules, rules)
def test_the_wall_refuses_what_the_check_refuses_and_nothing_else(on_postgres, one, other):
    first, second = _asked_for(one), _asked_for(other)
    with on_postgres.sessions.begin() as db:
        db.execute(SLOT_HOLDS.delete())
    ids = [f"s-{next(numbers)}" for _ in range(2)]
    save_unchecked(on_postgres, ids[0], first)
    try:
        save_unchecked(on_postgres, ids[1], second)
        refused = False
    except SlotClashError:
        refused = True
    tree = on_postgres.run(units.tree, today=TODAY)
    facts = {"slot_id": "s", "created_at": NOON}
    pair = [occupant(value_of(new, {}, tree, **facts)) for new in (first, second)]
    found = clashes(replace(pair[1], slot_id="t"), [pair[0]], NOON)
    if refused:
        assert found
    elif found:
        soon = {TODAY - A_DAY, TODAY, TODAY + A_DAY}
        assert not [
            day
            for clash in found
            for day in clash.days
            if day not in soon and day < TODAY + 390 * A_DAY
        ]


def _asked_for(rule: Rule) -> scheduling.NewSlot:
    once = rule.recurrence is Recurrence.ONCE
    return asked(
        recurrence=rule.recurrence.value,
        pattern=rule.pattern,
        local_start=rule.local_start,
        length_s=rule.length.total_seconds(),
        first_day=rule.first_day,
        last_day=None if once else rule.last_day,
        weekdays=rule.weekdays,
        holidays=rule.holidays.value,
        excluded_days=tuple(rule.excluded),
    )
