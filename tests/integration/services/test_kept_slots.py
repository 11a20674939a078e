"""Slots kept in memory are those of the database, whoever has changed them and what came of it."""

from datetime import time

import pytest
from sqlalchemy import event

from server.services import grouping, scheduling, units
from server.services.kept_slots import KeptSlots
from server.services.slot_values import read_slots
from server.store.engine import open_sessions
from server.store.queries.slots import WantedSlots
from tests.factories.claims import NOON
from tests.factories.provinces import a_new_slot
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR

ALL = WantedSlots()


@pytest.fixture
def readers(province):
    return open_sessions(province.sessions.kw["bind"], reads_only=True)


def kept(sessions, memory: KeptSlots, wanted: WantedSlots = ALL):
    with sessions.begin() as db:
        return memory.read(db, wanted, units.tree(db, today=TODAY))


def there(sessions, wanted: WantedSlots = ALL):
    with sessions.begin() as db:
        return read_slots(db, wanted, units.tree(db, today=TODAY))


def change(province, slot, **new: object) -> None:
    province.run(
        scheduling.update_slot,
        slot_id=slot.slot_id,
        new=a_new_slot(**new),
        version=slot.version,
        now=NOON,
        actor=OPERATOR,
        keyring=province.keyring,
    )


def a_few(province):
    return [
        province.add_slot(title=f"Bản tin {hour}", local_start=time(hour, 30)) for hour in (5, 9)
    ]


def test_what_has_not_changed_is_the_same_value_and_its_row_is_not_read_again(province, readers):
    memory = KeptSlots()
    a_few(province)
    first = kept(readers, memory)
    assert first == there(readers)
    asked = []
    event.listen(readers.kw["bind"], "before_cursor_execute", lambda *what: asked.append(what[2]))
    again = kept(readers, memory)
    assert all(one is other for one, other in zip(again, first, strict=True))
    assert asked
    assert not any("slots.title" in question for question in asked)


def test_a_changed_a_new_and_a_withdrawn_slot_are_seen_at_the_next_look(province, readers):
    memory = KeptSlots()
    changed, withdrawn = a_few(province)
    kept(readers, memory)
    change(province, changed, title="Bản tin mới")
    province.withdraw(withdrawn)
    province.add_slot(title="Thêm", local_start=time(11, 0))
    assert {slot.title for slot in kept(readers, memory)} == {"Bản tin mới", "Thêm"}
    assert kept(readers, memory) == there(readers)


def test_only_what_is_wanted_is_given_though_more_is_kept(province, readers):
    memory = KeptSlots()
    one, _ = a_few(province)
    kept(readers, memory)
    for wanted in (
        WantedSlots(slot_ids=[one.slot_id]),
        WantedSlots(unit_ids=["xa-2"]),
        WantedSlots(refs=["xa-1"], last=TODAY),
    ):
        assert kept(readers, memory, wanted) == there(readers, wanted)


def test_another_tree_means_other_clusters_for_the_same_slot(province, readers):
    memory = KeptSlots()
    facts = {"now": NOON, "actor": OPERATOR}
    group = {"group_id": "ven-song", "name": "Ven sông", "unit_id": "xa-1"}
    province.run(grouping.create_group, **group, clusters=("xa-1-c1",), **facts)
    province.add_slot(groups=("ven-song",), units=())
    assert [set(slot.clusters) for slot in kept(readers, memory)] == [{"xa-1-c1"}]
    province.run(
        grouping.change_group,
        group_id="ven-song",
        name="Ven sông",
        clusters=("xa-1-c1", "xa-1-c2"),
        **facts,
    )
    assert [set(slot.clusters) for slot in kept(readers, memory)] == [{"xa-1-c1", "xa-1-c2"}]


def test_who_writes_goes_by_the_rows_and_what_is_undone_is_remembered_by_nobody(province, readers):
    memory = KeptSlots()
    slot, _ = a_few(province)
    before = kept(readers, memory)
    with province.sessions() as db:
        row = scheduling.update_slot(
            db,
            slot.slot_id,
            a_new_slot(title="Không ai nghe"),
            version=slot.version,
            now=NOON,
            actor=OPERATOR,
            keyring=province.keyring,
        )
        db.flush()
        own = memory.read(db, ALL, units.tree(db, today=TODAY))
        assert "Không ai nghe" in {one.title for one in own}
        assert row.version == slot.version + 1
        db.rollback()
    assert kept(readers, memory) == before
    change(province, slot, title="Bản tin mới")  # gets the version that was undone
    assert "Bản tin mới" in {one.title for one in kept(readers, memory)}
    assert kept(readers, memory) == there(readers)


def test_memory_is_begun_anew_when_it_is_full_and_nothing_is_missing(province, readers):
    memory = KeptSlots(most=1)
    a_few(province)
    for _ in range(3):
        assert kept(readers, memory) == there(readers)
