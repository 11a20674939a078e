"""A province to call the services in, on both engines: founded once, copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from server.services.keyring import Keyring
from server.store.engine import open_engine, open_sessions
from tests.factories.database import Postgres, hurried, laid_over
from tests.factories.provinces import Province


def founded(url: str, keyring: Keyring) -> None:
    engine = hurried(open_engine(url))
    Province(open_sessions(engine), keyring).found()
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_province(
    migrated_sqlite: Path, keyring: Keyring, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("province") / "founded.db"
    shutil.copy(migrated_sqlite, path)
    founded(f"sqlite:///{path}", keyring)
    return path


@pytest.fixture(scope="session")
def template_province(postgres: Postgres, keyring: Keyring) -> str:
    name = postgres.create()
    founded(postgres.url(name), keyring)
    return name


@pytest.fixture
def on_sqlite(sqlite_province: Path, sqlite_engine: Engine, keyring: Keyring) -> Iterator[Province]:
    laid_over(Path(sqlite_engine.url.database), sqlite_province)
    yield Province(open_sessions(sqlite_engine), keyring)
    sqlite_engine.dispose()


@pytest.fixture
def on_postgres(postgres: Postgres, template_province: str, keyring: Keyring) -> Iterator[Province]:
    """For what can only go wrong where two transactions are really under way at once."""
    name = postgres.create(template_province)
    engine = open_engine(postgres.url(name))
    yield Province(open_sessions(engine), keyring)
    engine.dispose()
    postgres.drop(name)


@pytest.fixture(params=["on_sqlite", pytest.param("on_postgres", marks=pytest.mark.slow)])
def province(request: pytest.FixtureRequest) -> Province:
    return request.getfixturevalue(request.param)
