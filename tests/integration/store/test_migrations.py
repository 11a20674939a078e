"""The models and the migrations tell the same story, on both engines."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from server.store.base import Base
from server.store.engine import open_engine
from server.store.migrations import downgrade, upgrade


@pytest.fixture
def bare(bare_url):
    engine = open_engine(bare_url)
    yield engine
    engine.dispose()


def test_migrations_make_just_what_the_models_say(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_migration_can_be_taken_back_and_made_again(bare: Engine):
    upgrade(bare)
    whole = set(inspect(bare).get_table_names())
    for revision in ("0001", "base"):
        downgrade(bare, revision=revision)
    assert set(inspect(bare).get_table_names()) == {"alembic_version"}
    upgrade(bare)
    assert set(inspect(bare).get_table_names()) == whole


def test_a_database_that_is_up_to_date_is_left_alone(bare: Engine):
    upgrade(bare)
    upgrade(bare)
    with bare.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == "0005"
