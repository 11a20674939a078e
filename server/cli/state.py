"""One installation, one keeper: a lock on the state folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.cli.errors import StateInUseError


@contextmanager
def hold_state(state_dir: Path) -> Iterator[None]:
    """Keep others from running on the same state folder; the lock ends with this process.

    Raises:
        StateInUseError: Somebody else holds it.
    """
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateInUseError(state_dir) from error
        yield
