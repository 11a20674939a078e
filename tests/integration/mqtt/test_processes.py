"""How the programs end, and how they come back."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from server.mqtt.broker import BrokerKind
from server.workers import WorkerDiedError
from tests.factories.brokers import KillableBroker, listens, running_broker
from tests.factories.installations import Installation, an_installation
from tests.factories.ports import free_port
from tests.factories.waiting import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
RUN = """
import signal, sys
from threading import Event
from server.mqtt.{module} import run
from server.settings import Settings
stop = Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
run(Settings(), stop)
"""


@pytest.fixture
def place(tmp_path) -> Iterator[Installation]:
    with an_installation(tmp_path, mqtt_port=free_port()) as made:
        made.commission("nut-1", "cum-1")
        yield made


@contextmanager
def a_program(place: Installation, module: str) -> Iterator[subprocess.Popen[bytes]]:
    chosen = {
        "LOA_STATE_DIR": str(place.settings.state_dir),
        "LOA_MQTT_PORT": str(place.settings.mqtt_port),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", RUN.format(module=module)],
        cwd=ROOT,
        env={**os.environ, **chosen},  # noqa: TID251 - handed on to the child
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def is_empty(place: Installation) -> bool:
    with place.reads.begin() as db:
        return not db.scalar(text("SELECT count(*) FROM outbox WHERE published_at IS NULL"))


def test_the_gateway_ends_at_once_and_cleanly_when_it_is_told_to(place):
    broker = KillableBroker(place, BrokerKind.MOSQUITTO)
    with a_program(place, "runner") as gateway:
        wait_until(lambda: is_empty(place), within_s=20)
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait(5) == 0
    broker.kill()


def test_the_gateway_ends_with_an_error_when_one_of_its_threads_dies(place):
    broker = KillableBroker(place, BrokerKind.MOSQUITTO)
    with a_program(place, "runner") as gateway:
        wait_until(lambda: is_empty(place), within_s=20)
        with place.sessions.begin() as db:
            db.execute(text("ALTER TABLE outbox RENAME TO elsewhere"))
        assert gateway.wait(10) == 1
        assert gateway.stderr is not None
        assert WorkerDiedError("outbox").args[0].encode() in gateway.stderr.read()
    broker.kill()


@pytest.mark.sound
@pytest.mark.parametrize("kind", list(BrokerKind))
def test_a_broker_that_is_killed_is_back_within_three_seconds(place, kind):
    with running_broker(place.settings, kind):
        before = psutil.Process().children()
        for child in before:
            child.kill()
        wait_until(lambda: set(psutil.Process().children()) - set(before), within_s=3)
        wait_until(lambda: listens(place.settings), within_s=3)


def test_the_broker_does_not_outlive_the_program_that_runs_it(place):
    with a_program(place, "broker") as program:
        wait_until(lambda: listens(place.settings), within_s=20)
        program.kill()
        wait_until(lambda: not listens(place.settings))


def test_a_broker_that_cannot_run_is_given_up(place):
    with running_broker(place.settings, BrokerKind.MOSQUITTO), a_program(place, "broker") as second:
        assert second.wait(20) == 1


def test_what_was_posted_while_no_gateway_ran_is_published_by_the_next(place):
    broker = KillableBroker(place, BrokerKind.MOSQUITTO)
    for end in (signal.SIGKILL, signal.SIGTERM):
        with a_program(place, "runner") as gateway:
            wait_until(lambda: is_empty(place), within_s=20)
            gateway.send_signal(end)
            gateway.wait(5)
        place.commission(f"nut-{int(end)}", "cum-2")
        assert not is_empty(place)
    broker.kill()
