"""Writing many rows at once, on both engines."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import InstrumentedAttribute

from server.services.units import create_level
from server.store.engine import Sessions
from server.store.inserts import (
    change_many,
    insert_many,
    insert_new,
    insert_told_apart,
    write_changes,
)
from server.store.models import AuditRow, ClusterRow, ClusterUnitRow, UnitRow
from server.store.queries.trees import state_of_trees
from tests.factories.claims import NOON, at
from tests.factories.slots import TODAY

HERE = {"latitude": 22.833333333333332, "longitude": -0.1}
MANY = 1_500
WORDS = 'Bản "Cáp" \\ %s :x'


def a_cluster(cluster_id: str, **facts: object) -> dict[str, object]:
    return {"cluster_id": cluster_id, "name": WORDS, "village": "", **facts}


def rows(sessions: Sessions, *columns: InstrumentedAttribute[Any]):
    with sessions() as db:
        return [tuple(row) for row in db.execute(select(*columns).order_by(*columns[:1]))]


def test_rows_come_back_as_they_were_given_and_the_rest_of_their_columns_as_always(sessions):
    with sessions.begin() as db:
        insert_many(db, ClusterRow, [a_cluster("c-1", **HERE, languages=["hmn", "tyz"])])
        insert_many(db, ClusterRow, [a_cluster("c-2", latitude=None)])
    with sessions() as db:
        one, other = db.scalars(select(ClusterRow).order_by(ClusterRow.cluster_id))
        assert (one.name, one.latitude, one.longitude) == (WORDS, *HERE.values())
        assert (one.languages, other.languages, other.latitude) == (["hmn", "tyz"], [], None)
        assert (one.people, other.people) == (0, 0)


def test_only_what_is_named_changes_and_only_in_the_rows_that_are_named(sessions):
    with sessions.begin() as db:
        insert_many(db, ClusterRow, [a_cluster(one, people=5, **HERE) for one in ("a", "b", "c")])
        changed = [{"cluster_id": "a", "people": 6}, {"cluster_id": "c", "people": 7}]
        change_many(db, ClusterRow, changed)
    columns = ClusterRow.cluster_id, ClusterRow.people, ClusterRow.latitude, ClusterRow.name
    assert rows(sessions, *columns) == [
        ("a", 6, HERE["latitude"], WORDS),
        ("b", 5, HERE["latitude"], WORDS),
        ("c", 7, HERE["latitude"], WORDS),
    ]


def test_what_is_there_already_is_passed_over(sessions):
    with sessions.begin() as db:
        insert_new(db, ClusterRow, [a_cluster("a", people=1)])
        insert_new(db, ClusterRow, [a_cluster("a", people=2), a_cluster("b", people=3)])
    assert rows(sessions, ClusterRow.cluster_id, ClusterRow.people) == [
        ("a", 1),
        ("b", 3),
    ]


def test_who_inserts_is_told_what_was_not_there_and_a_copy_among_them_is_one(sessions):
    with sessions.begin() as db:
        assert insert_told_apart(db, ClusterRow, [a_cluster("a")]) == {("a",)}
        three = [a_cluster(one, people=9) for one in ("b", "a", "b")]
        assert insert_told_apart(db, ClusterRow, three) == {("b",)}
        assert insert_told_apart(db, ClusterRow, three) == set()
    assert rows(sessions, ClusterRow.cluster_id, ClusterRow.people) == [("a", 0), ("b", 9)]


def test_what_has_changed_in_rows_is_written_together_and_nothing_else_of_them(sessions):
    engine = sessions.kw["bind"]
    names = [f"c-{number}" for number in range(9)]
    with sessions.begin() as db:
        insert_many(db, ClusterRow, [a_cluster(one, people=1) for one in names])
    sent: list[str] = []
    with sessions.begin() as db:
        held = db.scalars(select(ClusterRow).order_by(ClusterRow.cluster_id)).all()
        # Behind the back of those who hold the rows.
        change_many(db, ClusterRow, [{"cluster_id": one, "village": "Chợ"} for one in names])
        for row in held[:4]:
            row.people = 2
        held[4].languages, held[4].latitude = ["hmn"], None
        event.listen(engine, "before_cursor_execute", lambda *facts: sent.append(facts[2]))
        write_changes(db)
        db.flush()  # nothing is left for the session itself
        assert len(sent) == 2
        assert not db.dirty
        assert held[0].people == 2
    columns = ClusterRow.cluster_id, ClusterRow.people, ClusterRow.village, ClusterRow.languages
    assert rows(sessions, *columns) == [
        (one, 2 if number < 4 else 1, "Chợ", ["hmn"] if number == 4 else [])
        for number, one in enumerate(names)
    ]


def test_days_and_instants_are_kept_to_the_microsecond(sessions):
    moment = at(3) + timedelta(microseconds=123_457)
    deed = {"at": moment, "actor": "ai-do", "action": "view", "subject": "-", "detail": {"x": [1]}}
    with sessions.begin() as db:
        insert_many(db, AuditRow, [deed, {**deed, "at": NOON}])
    assert rows(sessions, AuditRow.at, AuditRow.detail) == [
        (NOON, {"x": [1]}),
        (moment, {"x": [1]}),
    ]


@pytest.mark.parametrize("write", [insert_many, insert_new])
def test_nothing_is_written_of_nothing(sessions, write):
    with sessions.begin() as db:
        write(db, ClusterRow, [])
        change_many(db, ClusterRow, [])
    assert rows(sessions, ClusterRow.cluster_id) == []


def test_many_rows_are_one_statement_and_the_tree_is_another_once(sessions):
    """So it is on PostgreSQL; SQLite writes row by row, and does not mind."""
    engine = sessions.kw["bind"]
    names = [f"c-{number}" for number in range(MANY)]
    places = [{"cluster_id": one, "unit_id": "xa", "valid_from": TODAY} for one in names]
    sent: list[bool] = []
    with sessions.begin() as db:
        create_level(db, rank=0, name_vi="Xã", name_en="Commune")
        db.add(UnitRow(unit_id="xa", name="Xã", level_rank=0, valid_from=TODAY))
        db.flush()  # places refer to it
        before = state_of_trees(db)
        event.listen(engine, "before_cursor_execute", lambda *facts: sent.append(facts[5]))
        insert_many(db, ClusterRow, [a_cluster(one) for one in names])
        insert_new(db, ClusterUnitRow, places)
        change_many(db, ClusterRow, [{"cluster_id": one, "languages": ["hmn"]} for one in names])
        assert sent == [engine.dialect.name == "sqlite"] * 3
        assert state_of_trees(db) != before
        assert set(map(tuple, db.scalars(select(ClusterRow.languages)))) == {("hmn",)}
