"""Wake other programs when a transaction has been committed.

On PostgreSQL this is NOTIFY. On SQLite each sleeper owns a datagram socket in a folder beside the
database, and a commit sends one byte to every socket found there. Either way it is only a nudge:
sleepers also look by themselves every so often.
"""

import contextlib
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sqlalchemy import Engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    import psycopg

CHANNEL = "loa_wake"
_FLAG = "loa_wake"


def wake_after_commit(db: Session) -> None:
    """Wake every sleeper once this transaction has been committed."""
    if db.info.get(_FLAG):
        return
    db.info[_FLAG] = True
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text(f"NOTIFY {CHANNEL}"))


@event.listens_for(Session, "after_commit")
def _committed(db: Session) -> None:
    if db.in_nested_transaction():
        return  # only a savepoint: nobody else can see it yet
    if not db.info.pop(_FLAG, None):
        return
    folder = _folder(db.get_bind().engine.url)
    if folder is not None:
        _nudge_all(folder)


@event.listens_for(Session, "after_soft_rollback")
def _rolled_back(db: Session, _previous: object) -> None:
    if not db.in_nested_transaction():
        db.info.pop(_FLAG, None)


def _folder(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database + ".wake")


def _nudge_all(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0)
        for sleeper in folder.glob("*.sock"):
            # A full buffer means that it has been told already; a refused one is a dead sleeper's.
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError, FileNotFoundError):
                sender.sendto(b"!", str(sleeper))


def _listening(url: URL) -> "psycopg.Connection":
    import psycopg  # noqa: PLC0415 - its library is heavy, and SQLite needs none of it

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    listener = psycopg.connect(address, autocommit=True)
    listener.execute(f"LISTEN {CHANNEL}")
    return listener


class Wakeup:
    """Sleep until somebody commits something, or until a time-out.

    Not for several threads at once.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        """Begin to listen; ``name`` tells this sleeper from others of the same kind."""
        self._socket: socket.socket | None = None
        self._listener: psycopg.Connection | None = None
        self._path: Path | None = None
        folder = _folder(engine.url)
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path = folder / f"{name}-{os.getpid()}.sock"
            self._path.unlink(missing_ok=True)
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.bind(str(self._path))
        elif engine.dialect.name == "postgresql":
            self._listener = _listening(engine.url)

    def wait(self, timeout_s: float) -> bool:
        """Sleep at most ``timeout_s`` seconds; say whether somebody woke us."""
        if self._listener is not None:
            woken = False
            for _ in self._listener.notifies(timeout=timeout_s, stop_after=1):
                woken = True
            return woken
        if self._socket is None:
            return False
        self._socket.settimeout(timeout_s)
        try:
            self._socket.recv(16)
            self._socket.settimeout(0)
            while self._socket.recv(16):
                pass
        except TimeoutError:
            return False
        except BlockingIOError:
            pass
        return True

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()
        if self._socket is not None:
            self._socket.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()
