"""One scheduler at a time: the others wait, and one of them takes over when it ends.

On PostgreSQL an advisory lock on a connection of its own, on SQLite a lock on a file; either is
let go by the system itself when its holder dies.
"""

import fcntl
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Engine

ADVISORY_LOCK = 0x6C6F61
"""``loa``: any number will do, if all schedulers of a database use it."""


class Leadership(Protocol):
    """The right to be the one that works."""

    def held(self) -> bool:
        """Take it if it is free; say whether it is ours."""

    def close(self) -> None:
        """Let it go."""


class FileLeadership:
    """Held by a lock on a file of one machine."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("ab")
        self._is_ours = False

    def held(self) -> bool:
        """Take it if it is free; say whether it is ours."""
        if not self._is_ours:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._is_ours = True
        return True

    def close(self) -> None:
        """Let it go."""
        self._file.close()


class DatabaseLeadership:
    """Held by an advisory lock of PostgreSQL, for as long as the connection lives."""

    def __init__(self, engine: Engine) -> None:
        import psycopg  # noqa: PLC0415 - its library is heavy, and SQLite needs none of it

        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(url, autocommit=True)
        self._is_ours = False

    def held(self) -> bool:
        """Take it if it is free; say whether it is ours.

        Raises:
            psycopg.OperationalError: The connection is gone, and with it the lock.
        """
        if self._is_ours:
            # Asked of the server: a connection that was cut has lost the lock without a word.
            self._connection.execute("SELECT 1")
            return True
        answer = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (ADVISORY_LOCK,))
        row = answer.fetchone()
        self._is_ours = row is not None and bool(row[0])
        return self._is_ours

    def close(self) -> None:
        """Let it go."""
        self._connection.close()


def leadership(engine: Engine, state_dir: Path) -> Leadership:
    """Choose what all schedulers of this database share."""
    if engine.dialect.name == "postgresql":
        return DatabaseLeadership(engine)
    return FileLeadership(state_dir / "scheduler.lock")
