"""The gateway's process: opens everything, starts the threads, ends when one of them does."""

import sys
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from threading import Event, Thread

import structlog

from server.mqtt.gateway import Gateway
from server.mqtt.inbox import Inbox
from server.mqtt.outbox import OutboxCarrier, mark_confirmed, wake_on_commit
from server.observability import settle
from server.services.keyring import GATEWAY, Keyring, secret_text
from server.settings import Settings
from server.store.engine import open_engine, open_sessions
from server.store.wake import Wakeup
from server.workers import WorkerDiedError, demand_alive, worker

WATCH_S = 0.5
HANDOVER_S = 0.0005
"""How long a thread may compute while another has something to do. With Python's own 5 ms the one
that reads from the broker stands still, at each of its many short calls, while another computes."""

log = structlog.get_logger(__name__)


def run(settings: Settings, stop: Event) -> None:
    """Run the gateway until ``stop`` is set.

    Raises:
        WorkerDiedError: One of its threads has ended; the process is to be started again.
    """
    sys.setswitchinterval(HANDOVER_S)
    engine = open_engine(settings.database)
    sessions = open_sessions(engine)
    link = Gateway(
        host=settings.mqtt_host,
        port=settings.mqtt_port,
        version=settings.mqtt_version,
        password=secret_text(settings.secrets_dir, GATEWAY),
    )
    carrier = OutboxCarrier(link, open_sessions(engine, reads_only=True), clock=_now)
    inbox = Inbox(link, sessions, keyring=Keyring.open(settings.secrets_dir), clock=_now)
    ending = Event()
    with Wakeup(engine, "gateway") as wakeup, closing(link):
        workers = (
            worker("outbox", partial(carrier.run, ending)),
            worker("outbox-marks", partial(mark_confirmed, carrier, sessions, _now, ending)),
            worker("outbox-wake", partial(wake_on_commit, link.signals, wakeup, ending)),
            worker("inbox", partial(inbox.run, link.deliveries, ending)),
        )
        for one in workers:
            one.start()
        link.open()
        settle()
        log.info("gateway_started", host=settings.mqtt_host, port=settings.mqtt_port)
        try:
            _watch(workers, link, stop)
        finally:
            ending.set()
            for one in workers:
                one.join()
    engine.dispose()


def _watch(workers: tuple[Thread, ...], link: Gateway, stop: Event) -> None:
    while not stop.wait(WATCH_S):
        demand_alive(workers)
        if not link.is_alive():
            raise WorkerDiedError("broker link")


def _now() -> datetime:
    return datetime.now(UTC)
