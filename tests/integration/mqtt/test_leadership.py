"""One scheduler works; another waits, and takes over when the first is gone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy import select

from server.scheduler.leadership import Leadership, leadership
from server.scheduler.runner import run
from server.store.engine import open_engine
from server.store.models import PlanRow
from tests.factories.installations import COMMUNE, Installation, an_installation
from tests.factories.waiting import wait_until

ROOT = Path(__file__).parents[3]
RUN = """
import signal
from threading import Event
from server.scheduler.runner import run
from server.settings import Settings
stop = Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
run(Settings(), stop)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path) -> Iterator[Installation]:
    with ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres")
            name = server.create()
            stack.callback(server.drop, name)
            url = server.url(name)
        yield stack.enter_context(an_installation(tmp_path, database_url=url))


@contextmanager
def a_scheduler(place: Installation) -> Iterator[subprocess.Popen[bytes]]:
    chosen = {
        "LOA_STATE_DIR": str(place.settings.state_dir),
        "LOA_DATABASE_URL": place.settings.database_url,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=ROOT,
        env={**os.environ, **chosen},  # noqa: TID251 - handed on to the child
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def plan_version(place: Installation) -> int:
    with place.reads.begin() as db:
        return db.scalar(select(PlanRow.version).where(PlanRow.unit_id == COMMUNE)) or 0


def a_right(place: Installation) -> Leadership:
    return leadership(place.engine, place.settings.state_dir)


def test_only_one_holds_the_right_and_the_next_takes_it_when_it_is_free(place):
    with closing(a_right(place)) as second:
        with closing(a_right(place)) as first:
            assert first.held()
            assert first.held()
            assert not second.held()
        wait_until(second.held)


@pytest.mark.slow
def test_the_right_of_a_scheduler_that_was_killed_is_free(place):
    with a_scheduler(place) as process, closing(a_right(place)) as right:
        wait_until(lambda: process.poll() is not None or plan_version(place) > 0, within_s=30)
        assert not right.held()
        process.kill()
        wait_until(right.held)


@contextmanager
def a_standby(place: Installation) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=run, args=(place.settings, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_standby_does_nothing_until_it_takes_over(place):
    with ExitStack() as stack:
        with closing(a_right(place)) as right:
            assert right.held()
            stack.enter_context(a_standby(place))
            Event().wait(1.5)  # longer than a tick: time enough to do what it should not
            assert plan_version(place) == 0
        wait_until(lambda: plan_version(place) > 0)


def test_a_leader_whose_connection_was_cut_does_not_go_on(tmp_path, postgres):
    name = postgres.create()
    engine = open_engine(postgres.url(name))
    right = leadership(engine, tmp_path)
    assert right.held()
    postgres.drop(name)  # cuts every connection
    with pytest.raises(psycopg.OperationalError):
        right.held()
    right.close()
    engine.dispose()
