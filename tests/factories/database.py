"""Databases that live for one run of tests: SQLite files, and a PostgreSQL of our own."""

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL

from server.store.engine import open_engine
from server.store.migrations import upgrade
from tests.factories.ports import free_port

PROGRAMS = Path("/usr/lib/postgresql")
USER = "postgres"
TEMPLATE, EMPTY = "loa_template", "template1"

ROOM = ("max_connections=60",)
# Nothing of a test has to survive a power cut.
CARELESS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


def hurried(engine: Engine) -> Engine:
    """Let SQLite not wait for the disk: nothing of a test has to survive a power cut."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _do_not_wait)
    return engine


def _do_not_wait(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()


def laid_over(path: Path, copied: Path) -> None:
    """Put a copy of a SQLite file in the place of another that nobody uses any more."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    shutil.copy(copied, path)


class PostgresMissingError(Exception):
    """PostgreSQL's programs are not on this machine."""

    def __init__(self) -> None:
        super().__init__(f"no {PROGRAMS}/*/bin/initdb: apt-get install postgresql")


def newest_programs(root: Path = PROGRAMS) -> Path:
    """Find the folder with the newest PostgreSQL's programs.

    Raises:
        PostgresMissingError: There is none.
    """
    found = sorted(root.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise PostgresMissingError
    return found[-1].parent


class Postgres:
    """A PostgreSQL of our own on a free port, with a template that has been migrated once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._made = 0
        self._admin = psycopg.connect(self.url("postgres", "postgresql"), autocommit=True)
        self._run("CREATE DATABASE {}", TEMPLATE)
        engine = open_engine(self.url(TEMPLATE))
        upgrade(engine)
        engine.dispose()  # a template that somebody is connected to cannot be copied

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        address = URL.create(driver, USER, host="127.0.0.1", port=self._port, database=database)
        return address.render_as_string(hide_password=False)

    def create(self, template: str = TEMPLATE) -> str:
        """Make a database as a copy of another to which nobody is connected, and name it."""
        self._made += 1
        name = f"loa_{self._made}"
        # Copying files is three times as quick as writing each page into the log.
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return name

    def drop(self, name: str) -> None:
        self._run("DROP DATABASE {} WITH (FORCE)", name)

    def close(self) -> None:
        self._admin.close()

    def _run(self, statement: str, *names: str) -> None:
        self._admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a PostgreSQL until the end of the block, and leave nothing of it behind.

    With ``durable`` it waits for the disk, as one in service does.
    """
    chosen = ROOM if durable else ROOM + CARELESS
    programs = newest_programs()
    folder = Path(tempfile.mkdtemp(prefix="loa-postgres-"))
    data, port = folder / "data", free_port()
    if os.geteuid() == 0:  # PostgreSQL refuses to be run by root
        shutil.chown(folder, USER, pwd.getpwnam(USER).pw_gid)
    try:
        _as_owner(programs / "initdb", "--no-sync", "-A", "trust", "-U", USER, "-D", data)
        options = f"-p {port} -h 127.0.0.1 -k {folder}" + "".join(f" -c {o}" for o in chosen)
        control = (programs / "pg_ctl", "-D", data)
        _as_owner(*control, "-l", folder / "log", "-o", options, "-w", "start")
        try:
            postgres = Postgres(port)
            yield postgres
            postgres.close()
        finally:
            _as_owner(*control, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _as_owner(*command: object) -> None:
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["runuser", "-u", USER, "--", *words]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}  # noqa: TID251 - handed on
    done = subprocess.run(
        words, cwd="/", env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
