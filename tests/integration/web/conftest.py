import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.pages import Site, a_site


@pytest.fixture
def site(tmp_path, migrated_sqlite: Path) -> Iterator[Site]:
    """An application on the embedded default."""
    state = tmp_path / "state"
    state.mkdir()
    shutil.copy(migrated_sqlite, state / "loa.db")
    yield from _open(a_site(state))


@pytest.fixture
def any_site(tmp_path, database_url: str) -> Iterator[Site]:
    """An application on SQLite, and again on PostgreSQL."""
    state = tmp_path / "state"
    state.mkdir()
    yield from _open(a_site(state, database_url))


def _open(made: Site) -> Iterator[Site]:
    yield made
    made.app.extensions["loa"].engine.dispose()
    made.sessions.kw["bind"].dispose()
