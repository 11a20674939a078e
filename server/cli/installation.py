"""What must be there before any program of the server can run."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.cli.errors import StateInUseError
from server.services.keyring import create_secrets
from server.settings import Settings
from server.store import migrations
from server.store.engine import open_engine


def prepare(settings: Settings) -> None:
    """Make the state folder, the tables and the secrets, or bring them up to date."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    create_secrets(settings.secrets_dir)
    engine = open_engine(settings.database)
    try:
        migrations.upgrade(engine)
    finally:
        engine.dispose()


@contextmanager
def hold_state(state_dir: Path) -> Iterator[None]:
    """Keep others from running on the same state folder; the lock ends with this process.

    Raises:
        StateInUseError: Somebody else holds it.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateInUseError(state_dir) from error
        yield
