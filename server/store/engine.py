"""Open the database: SQLite in WAL mode where nothing else is asked for, PostgreSQL in production.

On SQLite every transaction that may write begins with ``BEGIN IMMEDIATE``: one writer at a time,
told at once or after the busy time-out, instead of a lock error half-way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

SQLITE_BUSY_S = 15

CACHE_KIB = 8_000
"""What each connection to SQLite may keep of its file; its own 2,000 hold no province's slots."""

Sessions = sessionmaker[Session]

_READS_ONLY = {"loa_reads_only": True}


def open_engine(url: str) -> Engine:
    """Open an engine for ``url``; nothing is connected yet.

    Its errors do not tell what was to be written: keys and hashes do not belong into a log.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(parsed, connect_args={"timeout": SQLITE_BUSY_S}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def open_sessions(engine: Engine, *, reads_only: bool = False) -> Sessions:
    """Make the maker of sessions; rows stay readable after commit.

    With ``reads_only`` a transaction on SQLite is deferred, so that readers never wait for the
    writer; whoever writes through it may be refused by a busy database. On PostgreSQL, where each
    question sees what is committed by then in any case, there is none: two round trips fewer.
    """
    if not reads_only:
        return sessionmaker(engine, expire_on_commit=False)
    on_its_own = {} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    return sessionmaker(
        engine.execution_options(**_READS_ONLY, **on_its_own), expire_on_commit=False
    )


@contextmanager
def reading(sessions: Sessions) -> Iterator[Session]:
    """Open a session for a look that may take long: no writer waits for it."""
    with sessions.begin() as db:
        db.connection(execution_options=_READS_ONLY)
        yield db


def only_reads(db: Session) -> bool:
    """Tell whether a session was opened to read alone: it sees nothing but what is committed."""
    return bool(db.connection().get_execution_options().get("loa_reads_only"))


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    # The driver's own transaction handling would begin too late; SQLAlchemy's events begin ours.
    connection.isolation_level = None
    cursor = connection.cursor()
    pragmas = (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"cache_size=-{CACHE_KIB}",
    )
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:  # noqa: ANN401 - the driver's own
    options = connection.get_execution_options()
    mode = "DEFERRED" if options.get("loa_reads_only") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")
