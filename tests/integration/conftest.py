"""Databases for tests: every test that asks for ``engine`` runs on SQLite and, among the slow
ones, on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from server.services.keyring import Keyring, create_secrets
from server.store.engine import Sessions, open_engine, open_sessions
from server.store.migrations import upgrade
from tests.factories.database import EMPTY, Postgres, hurried, laid_over, running_postgres

# Both do the same; the everyday run takes the one that needs no server.
ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as running:
        yield running


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    engine = hurried(open_engine(f"sqlite:///{path}"))
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for all: it has understood each statement once. Each test lays its file there."""
    opened = hurried(open_engine(f"sqlite:///{tmp_path_factory.mktemp('one') / 'loa.db'}"))
    yield opened
    opened.dispose()


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated, empty database."""
    if request.param == "sqlite":
        one: Engine = request.getfixturevalue("sqlite_engine")
        laid_over(Path(one.url.database), request.getfixturevalue("migrated_sqlite"))
        yield str(one.url)
        one.dispose()
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=ENGINES)
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with nothing in it, not even tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(EMPTY)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def engine(database_url: str, sqlite_engine: Engine) -> Iterator[Engine]:
    if database_url == str(sqlite_engine.url):
        yield sqlite_engine
        return
    opened = hurried(open_engine(database_url))
    yield opened
    opened.dispose()


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    return open_sessions(engine)


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    folder = tmp_path_factory.mktemp("secrets")
    create_secrets(folder)
    return Keyring.open(folder)
