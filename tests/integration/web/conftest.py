"""Pages over a province: founded once on each engine, copied for each test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import BoundedSemaphore

import pytest

from server.settings import Settings
from tests.factories.database import Postgres
from tests.factories.pages import Site, found_site, open_site

OpenSite = Callable[..., Site]


@pytest.fixture(scope="session")
def founded_state(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with everything in it, also the secrets."""
    state = tmp_path_factory.mktemp("founded")
    shutil.copy(migrated_sqlite, state / "loa.db")
    found_site(Settings(state_dir=state))
    return state


@pytest.fixture(scope="session")
def founded_postgres(
    postgres: Postgres, founded_state: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of a database with the same in it, for the same secrets."""
    name = postgres.create()
    state = tmp_path_factory.mktemp("founded-postgres")
    shutil.copytree(founded_state / "secrets", state / "secrets")
    found_site(Settings(state_dir=state, database_url=postgres.url(name)))
    return name


@pytest.fixture
def open_one(
    founded_state: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenSite]:
    """Open an application, with settings of one's choice."""
    made: list[Site] = []
    state = tmp_path / "state"
    shutil.copytree(founded_state, state)

    def opened(**chosen: object) -> Site:
        settings = Settings(state_dir=state, **chosen)
        made.append(open_site(settings, _templates(tmp_path_factory)))
        return made[-1]

    yield opened
    for site in made:
        _let_go(site)


@pytest.fixture(scope="session")
def one_site(founded_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An application on the embedded default, made once; each test founds its state anew."""
    state = tmp_path_factory.mktemp("one-site") / "state"
    shutil.copytree(founded_state, state)
    made = open_site(Settings(state_dir=state), _templates(tmp_path_factory))
    yield made
    _let_go(made)


@pytest.fixture
def site(one_site: Site, founded_state: Path) -> Iterator[Site]:
    """An application on the embedded default."""
    state = one_site.settings.state_dir
    shutil.rmtree(state)
    shutil.copytree(founded_state, state)
    held = one_site.app.extensions
    built_from = held["loa"]
    # Whoever listened in another test may never have closed what was sent.
    places = {name: held[name] for name in held if isinstance(held[name], BoundedSemaphore)}
    held |= {name: BoundedSemaphore(one._initial_value) for name, one in places.items()}
    yield one_site
    held["loa"] = built_from
    _let_go(one_site)


def _let_go(site: Site) -> None:
    site.engine.dispose()
    site.sessions.kw["bind"].dispose()


def _templates(factory: pytest.TempPathFactory) -> Path:
    templates = factory.getbasetemp() / "templates"
    templates.mkdir(exist_ok=True)
    return templates


@pytest.fixture
def on_postgres(open_one: OpenSite, postgres: Postgres, founded_postgres: str) -> Iterator[Site]:
    name = postgres.create(founded_postgres)
    yield open_one(database_url=postgres.url(name))
    postgres.drop(name)


@pytest.fixture(
    params=[
        pytest.param("site", id="sqlite"),
        pytest.param("on_postgres", id="postgresql", marks=pytest.mark.slow),
    ]
)
def any_site(request: pytest.FixtureRequest) -> Site:
    """An application on SQLite, and again on PostgreSQL."""
    return request.getfixturevalue(request.param)
