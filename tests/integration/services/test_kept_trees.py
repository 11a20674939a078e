"""Trees kept in memory are those of the database, whoever has changed it and what came of it."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, event, insert, text, update

from server.domain.units import NewUnit
from server.services import grouping, units
from server.services.kept_trees import KeptTrees
from server.store.engine import open_engine, open_sessions
from server.store.models import (
    ClusterRow,
    ClusterUnitRow,
    GroupMemberRow,
    GroupRow,
    TreeStateRow,
    UnitEdgeRow,
    UnitRow,
)
from server.store.queries.trees import read_tree, state_of_trees
from tests.factories.claims import NOON
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, a_cluster

TOMORROW = TODAY + timedelta(days=1)
FACTS = {"now": NOON, "actor": OPERATOR}
GROUP = {"group_id": "huyen", "name": "Huyện cũ", "unit_id": "tinh", "clusters": ("xa-1-c1",)}
OF_HUYEN = GroupMemberRow.group_id == "huyen"

CHANGES = {
    "a unit comes": insert(UnitRow).values(
        unit_id="xa-9", name="Xã Chín", level_rank=1, valid_from=TODAY
    ),
    "a unit is called something else": update(UnitRow)
    .where(UnitRow.unit_id == "xa-1")
    .values(name="Xã Mới"),
    "a unit ends": update(UnitRow).where(UnitRow.unit_id == "xa-2").values(valid_to=TODAY),
    "an edge comes": insert(UnitEdgeRow).values(
        child_id="xa-1", parent_id="xa-2", valid_from=TOMORROW
    ),
    "an edge ends": update(UnitEdgeRow)
    .where(UnitEdgeRow.child_id == "xa-2")
    .values(valid_to=TOMORROW),
    "an edge goes": delete(UnitEdgeRow).where(UnitEdgeRow.child_id == "xa-2"),
    "a cluster moves": update(ClusterUnitRow)
    .where(ClusterUnitRow.cluster_id == "xa-1-c1")
    .values(unit_id="xa-2"),
    "a cluster goes": delete(ClusterUnitRow).where(ClusterUnitRow.cluster_id == "xa-1-c1"),
    "a cluster comes back": insert(ClusterUnitRow).values(
        cluster_id="xa-1-c1", unit_id="xa-2", valid_from=TOMORROW
    ),
    "a language is spoken": update(ClusterRow)
    .where(ClusterRow.cluster_id == "xa-1-c1")
    .values(languages=["hmn"]),
    "a group comes": insert(GroupRow).values(group_id="ban", unit_id="tinh", name="Bản"),
    "a member joins": insert(GroupMemberRow).values(group_id="huyen", cluster_id="xa-2-c1"),
    "a member leaves": delete(GroupMemberRow).where(OF_HUYEN),
}


@pytest.fixture
def grouped(province):
    province.run(grouping.create_group, **GROUP, **FACTS)
    return province


@pytest.fixture
def elsewhere(grouped):
    """Another process: with connections of its own, and nothing in memory."""
    with grouped.sessions() as db:
        url = db.get_bind().url.render_as_string(hide_password=False)
    engine = open_engine(url)
    yield open_sessions(engine)
    engine.dispose()


def kept(sessions, memory: KeptTrees, day=TODAY):
    with sessions() as db:
        return memory.tree(db, day)


def read(sessions, day=TODAY):
    with sessions() as db:
        return read_tree(db, day)


@pytest.mark.parametrize("change", CHANGES)
def test_another_process_sees_every_kind_of_change_at_its_next_question(grouped, elsewhere, change):
    memory = KeptTrees()
    for day in (TODAY, TOMORROW):
        kept(elsewhere, memory, day)
    with grouped.sessions.begin() as db:
        db.execute(CHANGES[change])
    for day in (TODAY, TOMORROW):
        assert kept(elsewhere, memory, day) == read(elsewhere, day)


def test_what_has_not_changed_is_not_read_again(grouped):
    memory = KeptTrees()
    first = kept(grouped.sessions, memory)
    assert kept(grouped.sessions, memory) is first
    assert kept(grouped.sessions, memory, TOMORROW) is first  # no reform lies between
    with grouped.sessions.begin() as db:
        moved = update(ClusterRow).where(ClusterRow.cluster_id == "xa-1-c1")
        db.execute(moved.values(people=7))
    assert kept(grouped.sessions, memory) is first


def test_every_day_has_its_own_tree(grouped):
    memory = KeptTrees()
    with grouped.sessions.begin() as db:
        ended = update(UnitRow).where(UnitRow.unit_id == "xa-2")
        db.execute(ended.values(valid_to=TOMORROW))
    for day in (TODAY, TOMORROW, TODAY, TOMORROW):
        assert ("xa-2" in kept(grouped.sessions, memory, day).units) is (day == TODAY)
    assert kept(grouped.sessions, memory, TODAY - timedelta(days=9999)).units == {}


def test_a_transaction_sees_what_it_has_changed_itself_and_nobody_else_does(grouped, elsewhere):
    memory, of_another = KeptTrees(), KeptTrees()
    before = kept(elsewhere, of_another)
    readers = open_sessions(grouped.sessions.kw["bind"], reads_only=True)
    with grouped.sessions() as db:
        memory.tree(db, TODAY)
        db.execute(CHANGES["a unit is called something else"])
        assert memory.tree(db, TODAY).unit("xa-1").name == "Xã Mới"
        assert kept(readers, memory) == before
        # In the same transaction once more:
        db.execute(update(UnitRow).where(UnitRow.unit_id == "xa-1").values(name="Xã Cũ"))
        assert memory.tree(db, TODAY).unit("xa-1").name == "Xã Cũ"
        db.rollback()
    assert kept(grouped.sessions, memory) == kept(elsewhere, of_another) == before


def test_what_was_undone_is_not_taken_for_what_came_after_it(grouped):
    memory = KeptTrees()
    for name in ("Xã Ma", "Xã Thật"):
        with grouped.sessions() as db:
            db.execute(update(UnitRow).where(UnitRow.unit_id == "xa-1").values(name=name))
            assert memory.tree(db, TODAY).unit("xa-1").name == name
            if name == "Xã Thật":
                db.commit()
    assert kept(grouped.sessions, memory).unit("xa-1").name == "Xã Thật"


def test_what_was_undone_to_a_savepoint_is_undone_in_memory(grouped):
    memory = KeptTrees()
    with grouped.sessions() as db:
        before = memory.tree(db, TODAY)
        part = db.begin_nested()
        db.execute(CHANGES["a cluster moves"])
        assert memory.tree(db, TODAY) != before
        part.rollback()
        assert memory.tree(db, TODAY) == before


def test_what_waits_in_the_session_is_there_too(grouped):
    with grouped.sessions() as db:
        units.tree(db, today=TODAY)
        new = NewUnit("xa-9", "Xã Chín", 1, "tinh")
        units.create_unit(db, new, **FACTS, keyring=grouped.keyring)
        assert units.tree(db, today=TODAY).chain("xa-9") == ("tinh", "xa-9")
        units.create_cluster(db, a_cluster("xa-9-c1", "xa-9"), **FACTS)
        assert units.tree(db, today=TODAY).clusters["xa-9-c1"] == "xa-9"


def test_a_tree_read_while_it_changed_is_not_kept(on_postgres):
    """The first half was read before somebody's commit, the second after it."""
    memory = KeptTrees()
    at_once = open_engine(on_postgres.sessions.kw["bind"].url)
    done = []

    def change(_connection, _cursor, statement, *_: object):
        if "FROM cluster_units" in statement and "UNION" not in statement and not done:
            done.append(True)
            with at_once.begin() as other:
                other.execute(CHANGES["a cluster moves"])

    engine = on_postgres.sessions.kw["bind"]
    event.listen(engine, "before_cursor_execute", change)
    kept(on_postgres.sessions, memory)
    event.remove(engine, "before_cursor_execute", change)
    at_once.dispose()
    assert done
    assert kept(on_postgres.sessions, memory) == read(on_postgres.sessions)
    with on_postgres.sessions() as db:
        assert memory.tree(db, TODAY).clusters["xa-1-c1"] == "xa-2"


def test_without_somebody_who_keeps_watch_nothing_is_kept(grouped):
    memory = KeptTrees()
    with grouped.sessions.begin() as db:
        db.execute(delete(TreeStateRow))
    with grouped.sessions() as db:
        assert state_of_trees(db) is None
        assert memory.tree(db, TODAY) is not memory.tree(db, TODAY)


def test_only_a_few_trees_are_kept(grouped):
    memory = KeptTrees(most=1)
    with grouped.sessions.begin() as db:
        db.execute(CHANGES["an edge ends"])
    first = kept(grouped.sessions, memory)
    assert kept(grouped.sessions, memory) is first
    kept(grouped.sessions, memory, TOMORROW)
    assert kept(grouped.sessions, memory) is not first


def test_emptied_tables_are_noticed_on_postgresql(on_postgres):
    memory = KeptTrees()
    kept(on_postgres.sessions, memory)
    with on_postgres.sessions.begin() as db:
        db.execute(text("TRUNCATE cluster_units"))
    assert kept(on_postgres.sessions, memory).clusters == {}
