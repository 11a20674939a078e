"""The models and the migrations tell the same story, on both engines."""

from datetime import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select
from sqlalchemy.orm import Session

from server.store.base import Base
from server.store.engine import open_engine
from server.store.holds import POSTGRES_ONLY
from server.store.migrations import FOLDER, downgrade, upgrade
from server.store.models import LevelRow, SlotItemRow, SlotRow, UnitRow
from tests.factories.claims import NOON
from tests.factories.pages import an_asset_row
from tests.factories.slots import TODAY


@pytest.fixture
def bare(bare_url):
    engine = open_engine(bare_url)
    yield engine
    engine.dispose()


def test_migrations_make_just_what_the_models_say(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        only_here = [POSTGRES_ONLY] if engine.dialect.name == "postgresql" else []
        assert compare_metadata(context, [Base.metadata, *only_here]) == []


@pytest.mark.slow
def test_every_migration_can_be_taken_back_and_made_again(bare: Engine):
    upgrade(bare)
    whole = set(inspect(bare).get_table_names())
    for revision in ("0002", "0001", "base"):
        downgrade(bare, revision=revision)
    assert set(inspect(bare).get_table_names()) == {"alembic_version"}
    upgrade(bare)
    assert set(inspect(bare).get_table_names()) == whole


def test_a_database_that_is_up_to_date_is_left_alone(bare: Engine):
    upgrade(bare)
    upgrade(bare)
    with bare.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    assert revision == ScriptDirectory(str(FOLDER)).get_current_head()


def a_slot_row(recurrence: str, pattern: str = "", files: int = 1) -> SlotRow:
    return SlotRow(
        slot_id=f"s-{recurrence}-{files}",
        items=[SlotItemRow(position=place, asset_digest="0" * 64) for place in range(files)],
        content_kind="files" if files else "live",
        unit_id="xa-1",
        title="Bản tin sáng",
        bulletin_class="ordinary",
        recurrence=recurrence,
        pattern=pattern,
        local_start=time(5, 30),
        duration_s=60.0,
        first_day=TODAY,
        created_at=NOON,
        created_by="ai-do",
    )


@pytest.mark.slow
def test_slots_are_kept_on_the_way_back_and_those_unknown_there_are_withdrawn(bare: Engine):
    upgrade(bare)
    with Session(bare) as db, db.begin():
        db.add(LevelRow(rank=1, name_vi="Xã", name_en="Commune"))
        db.flush()  # parents before children
        db.add(UnitRow(unit_id="xa-1", name="Xã Một", level_rank=1, valid_from=TODAY))
        db.flush()  # parents before children
        db.add(an_asset_row("0" * 64, "xa-1"))
        db.flush()  # parents before children
        db.add_all([a_slot_row("daily"), a_slot_row("lunar", "DAY=1")])
        db.add_all([a_slot_row("weekly", files=2), a_slot_row("weekly", files=0)])
    downgrade(bare, revision="0002")
    upgrade(bare)
    with Session(bare) as db:
        kept = db.scalars(select(SlotRow).where(SlotRow.withdrawn_at.is_(None))).all()
        assert [(row.slot_id, row.pattern, row.holidays) for row in kept] == [
            ("s-daily-1", "", "any")
        ]
        items = db.scalars(select(SlotItemRow).where(SlotItemRow.slot_id == "s-daily-1"))
        assert [(item.position, item.asset_digest) for item in items] == [(0, "0" * 64)]
