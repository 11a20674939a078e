"""A province to call the services in, on both engines: founded once, copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.services.keyring import Keyring
from server.store.engine import open_engine, open_sessions
from tests.factories.database import Postgres, hurried
from tests.factories.provinces import Province


def founded(url: str, keyring: Keyring) -> None:
    engine = hurried(open_engine(url))
    Province(open_sessions(engine), keyring).found()
    engine.dispose()


def opened(url: str, keyring: Keyring) -> Iterator[Province]:
    engine = hurried(open_engine(url))
    yield Province(open_sessions(engine), keyring)
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
def on_sqlite(sqlite_province: Path, keyring: Keyring, tmp_path: Path) -> Iterator[Province]:
    path = tmp_path / "loa.db"
    shutil.copy(sqlite_province, path)
    yield from opened(f"sqlite:///{path}", keyring)


@pytest.fixture
def on_postgres(postgres: Postgres, template_province: str, keyring: Keyring) -> Iterator[Province]:
    """For what can only go wrong where two transactions are really under way at once."""
    name = postgres.create(template_province)
    yield from opened(postgres.url(name), keyring)
    postgres.drop(name)


@pytest.fixture(params=["on_sqlite", pytest.param("on_postgres", marks=pytest.mark.slow)])
def province(request: pytest.FixtureRequest) -> Province:
    return request.getfixturevalue(request.param)
