"""What a command on the server's own machine works with: database, keys, and who typed it."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from server.domain.authority import Actor
from server.services.keyring import Keyring
from server.settings import Settings
from server.store.engine import Sessions, open_engine, open_sessions


@dataclass(frozen=True, slots=True)
class Installation:
    """An open installation."""

    sessions: Sessions
    keyring: Keyring
    plan_days: int


@contextmanager
def open_installation(settings: Settings) -> Iterator[Installation]:
    """Open database and keys; both exist once ``loa db upgrade`` or ``loa up`` has run."""
    engine = open_engine(settings.database)
    try:
        keyring = Keyring.open(settings.secrets_dir)
        yield Installation(open_sessions(engine), keyring, settings.plan_days)
    finally:
        engine.dispose()


def operator() -> Actor:
    """Stand for whoever typed the command, by the name of the system account."""
    return Actor.operator(f"operator:{pwd.getpwuid(os.getuid()).pw_name}")
