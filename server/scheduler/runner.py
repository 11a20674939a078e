"""The scheduler's process: the clock, the loop, and who may work."""

from contextlib import closing
from datetime import UTC, datetime
from threading import Event

import structlog

from server.scheduler.leadership import leadership
from server.scheduler.tick import Scheduler, all_concerns
from server.services.keyring import Keyring
from server.settings import Settings
from server.store.engine import open_engine, open_sessions

TICK_S = 1.0

log = structlog.get_logger(__name__)


def run(settings: Settings, stop: Event) -> None:
    """Tick until ``stop`` is set, whenever no other scheduler of this database does."""
    engine = open_engine(settings.database)
    keyring = Keyring.open(settings.secrets_dir)
    scheduler = Scheduler(
        open_sessions(engine), all_concerns(keyring, plan_days=settings.plan_days)
    )
    leads = False
    with closing(leadership(engine, settings.state_dir)) as right:
        while not stop.is_set():
            if right.held():
                if not leads:
                    log.info("scheduler_leads")
                leads = True
                scheduler.tick(datetime.now(UTC))
            stop.wait(TICK_S)
    engine.dispose()
