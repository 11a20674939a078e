"""Asking by a list of ids, on both engines."""

import pytest
from sqlalchemy import ColumnElement, not_, or_, select

from server.store.engine import Sessions
from server.store.models import LevelRow, UnitRow
from server.store.queries.among import among
from tests.factories.slots import TODAY

UNITS = ("xa-1", "xa-2", 'xa-"3', "xa-\\4", "xã-5")


@pytest.fixture
def entered(sessions: Sessions) -> Sessions:
    with sessions.begin() as db:
        db.add(LevelRow(rank=0, name_vi="Xã", name_en="Commune"))
        db.flush()  # units refer to it
        for unit in UNITS:
            db.add(UnitRow(unit_id=unit, name=unit, level_rank=0, valid_from=TODAY))
    return sessions


def found(sessions, *wanted: ColumnElement[bool], **facts: object):
    with sessions() as db:
        return set(db.scalars(select(UnitRow.unit_id).where(*wanted), facts))


@pytest.mark.parametrize("ids", [(), UNITS[:2], UNITS, ("xa-9", "xa-1", "xa-1")])
def test_among_is_to_be_one_of_them(entered, ids):
    meant = set(UNITS) & set(ids)
    assert found(entered, among(UnitRow.unit_id, ids)) == meant
    assert found(entered, not_(among(UnitRow.unit_id, set(ids)))) == set(UNITS) - meant
    assert found(entered, among(UnitRow.unit_id, "some"), some=dict.fromkeys(ids)) == meant
    either = or_(among(UnitRow.unit_id, ids), UnitRow.unit_id == "xã-5")
    assert found(entered, either, UnitRow.level_rank == 0) == meant | {"xã-5"}


def test_a_hundred_thousand_ids_are_asked_for_at_once(entered):
    ids = [f"xa-{number}" for number in range(100_000)]
    assert found(entered, among(UnitRow.unit_id, ids)) == {"xa-1", "xa-2"}


def test_two_lists_in_one_question_do_not_mix(entered):
    both = among(UnitRow.unit_id, ["xa-1", "xa-2"]), among(UnitRow.name, ["xa-2", "xã-5"])
    assert found(entered, *both) == {"xa-2"}
