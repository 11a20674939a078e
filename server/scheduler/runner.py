"""The scheduler's process: the clock, the loop, the threads that tell people, and who may work."""

from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from threading import Event, Thread

import structlog

from audio_library.store import Store
from server.integrations.apprise_messenger import AppriseMessenger
from server.integrations.apprise_services import allowed_schemes
from server.scheduler.couriers import Courier
from server.scheduler.leadership import leadership
from server.scheduler.tick import Scheduler, all_concerns
from server.services.keyring import Keyring
from server.settings import Settings
from server.store.engine import open_engine, open_sessions
from server.workers import demand_alive, worker

TICK_S = 1.0
LET_GO_S = 2.0
"""What is in hand when the process ends is tried again by the next one."""
COURIERS = 3
"""While services keep one waiting, the others go on."""

log = structlog.get_logger(__name__)


def run(settings: Settings, stop: Event) -> None:
    """Tick until ``stop`` is set, whenever no other scheduler of this database does.

    Raises:
        WorkerDiedError: One of its threads has ended.
    """
    engine = open_engine(settings.database)
    sessions = open_sessions(engine)
    keyring = Keyring.open(settings.secrets_dir)
    concerns = all_concerns(
        keyring,
        plan_days=settings.plan_days,
        site=settings.address,
        store=Store(settings.asset_dir),
    )
    scheduler = Scheduler(sessions, concerns)
    courier = Courier(
        sessions,
        open_sessions(engine, reads_only=True),
        keyring,
        _messenger(settings),
        _now,
    )
    ending = Event()
    threads: list[Thread] = []
    with closing(leadership(engine, settings.state_dir)) as right:
        try:
            while not stop.is_set():
                if right.held():
                    if not threads:
                        log.info("scheduler_leads")
                        threads = _started(courier, ending)
                    scheduler.tick(_now())
                    demand_alive(threads)
                stop.wait(TICK_S)
        finally:
            ending.set()
            for thread in threads:
                thread.join(LET_GO_S)
    engine.dispose()


def _messenger(settings: Settings) -> AppriseMessenger:
    networks = tuple(map(str, settings.alert_private_networks))
    return AppriseMessenger(allowed_schemes(settings.alert_schemes), networks)


def _started(courier: Courier, ending: Event) -> list[Thread]:
    run = partial(courier.run, ending)
    threads = [worker(f"courier-{number}", run) for number in range(COURIERS)]
    for thread in threads:
        thread.start()
    return threads


def _now() -> datetime:
    return datetime.now(UTC)
