"""What a node must not forget, in one SQLite file: tokens, runs, and reports not yet acknowledged.

Used by the agent's thread alone. All that must not be lost is on the disk when the call returns.
"""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import final

import msgspec
import structlog

from edge.chain import Head, linked, new_chain
from edge.errors import StoreError
from edge.runs import ClaimKey, Run
from edge.schedule import Kept
from protocol.messages import AsRun, encode

_log = structlog.get_logger()

SCRATCH = Path("/dev/shm")  # noqa: S108 - what is there is this user's own folder in memory

_FORMAT = 1
_ON_THE_DISK = "PRAGMA synchronous = FULL"
"""A change is on the disk when the call returns that made it."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS token (
    kind TEXT NOT NULL, name TEXT NOT NULL, raw BLOB NOT NULL,
    accepted_at REAL NOT NULL, forget_at REAL NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (
    key TEXT PRIMARY KEY, body BLOB NOT NULL, alive_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS done (key TEXT PRIMARY KEY, ends_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS report (
    number INTEGER PRIMARY KEY AUTOINCREMENT, report_id TEXT NOT NULL UNIQUE, body BLOB NOT NULL,
    message_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS chain (
    one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, number INTEGER NOT NULL,
    digest TEXT NOT NULL
);
"""

_COME_BACK = """
BEGIN IMMEDIATE;
DELETE FROM token; INSERT INTO token SELECT * FROM memory.token;
DELETE FROM run; INSERT INTO run SELECT * FROM memory.run;
DELETE FROM done; INSERT INTO done SELECT * FROM memory.done;
DELETE FROM report; INSERT INTO report SELECT * FROM memory.report;
INSERT OR REPLACE INTO chain SELECT * FROM memory.chain;
COMMIT;
"""
"""What was begun in memory grew out of what is on the disk; a chain only if it has a record."""


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report as it stands on disk.

    Attributes:
        body: Its bytes; those of a record have their place in the chain once they are on disk.
        message_id: The order whose receipt it is, if it is one.
        record: What it says, if it is to have a place in the chain.
    """

    report_id: str
    body: bytes
    message_id: str = ""
    record: AsRun | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of the agent changed, kept together or not at all."""

    runs: Mapping[ClaimKey, Run]
    done: Mapping[ClaimKey, datetime]
    now: datetime
    kept: Kept | None = None
    reports: tuple[KeptReport, ...] = ()


@final
class Store:
    """The node's memory.

    Attributes:
        set_aside: Where a damaged file of an earlier life was moved, if there was one.
        trouble: Why what is kept from now on is in memory alone; empty: it is on the disk.
    """

    def __init__(self, path: Path, scratch: Path = SCRATCH) -> None:
        """Open the file, or a copy of it in memory where the disk takes nothing any more.

        Args:
            path: The file.
            scratch: A folder in memory.
        """
        self.set_aside: Path | None = None
        self.trouble = ""
        self._path = path
        self._scratch: TemporaryDirectory[str] | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._open(path)
        except (sqlite3.OperationalError, OSError) as error:
            self.trouble = _trouble(error)
            folder = scratch if scratch.is_dir() else None
            self._scratch = TemporaryDirectory(prefix="loa-node-", dir=folder)
            path = _copied(path, Path(self._scratch.name))
            self._db = self._open(path)
            # The disk may go on with the chain in a later life, as if this one had not been.
            with self._db:
                self._db.execute("DELETE FROM chain")
        self._alive = path.with_suffix(".alive")
        self._runs: dict[ClaimKey, bytes] = {}
        self._done: set[ClaimKey] = set(self.done())

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def come_back(self) -> None:
        """Put what is in memory alone on the disk, all of it or nothing, and go on there.

        Raises:
            StoreError: The disk does not take it.
        """
        if self._scratch is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            disk = self._open(self._path)
        except (sqlite3.OperationalError, OSError) as error:
            raise StoreError(_trouble(error), str(error)) from error
        try:
            disk.execute("ATTACH ? AS memory", (str(Path(self._scratch.name, self._path.name)),))
            disk.executescript(_COME_BACK)
            disk.execute("DETACH memory")
        except sqlite3.DatabaseError as error:
            disk.close()
            raise StoreError(_trouble(error), str(error)) from error
        self.close()
        self._db, self._scratch, self.trouble = disk, None, ""
        self._alive = self._path.with_suffix(".alive")

    def tokens(self) -> tuple[Kept, ...]:
        """Give all tokens."""
        rows = self._db.execute("SELECT kind, name, raw, accepted_at, forget_at FROM token")
        return tuple(
            Kept(kind, name, raw, _instant(accepted_at), _instant(forget_at))
            for kind, name, raw, accepted_at, forget_at in rows
        )

    def forget_tokens(self, tokens: Iterable[Kept]) -> None:
        """Remove tokens that are no good any more."""
        with self._using() as db:
            db.executemany(
                "DELETE FROM token WHERE kind = ? AND name = ?",
                [(kept.kind, kept.name) for kept in tokens],
            )

    def forget_old(self, now: datetime) -> None:
        """Remove what means nothing any more."""
        with self._using() as db:
            db.execute("DELETE FROM token WHERE forget_at <= ?", (now.timestamp(),))

    def runs(self) -> dict[ClaimKey, tuple[Run, datetime]]:
        """Give the claims that were under way, each with the last instant it was known to be."""
        rows = self._db.execute("SELECT key, body, alive_at FROM run")
        marked_at = self._alive.stat().st_mtime if self._alive.exists() else 0.0
        return {
            ClaimKey(key): (msgspec.json.decode(body, type=Run), _instant(max(alive_at, marked_at)))
            for key, body, alive_at in rows
        }

    def done(self) -> dict[ClaimKey, datetime]:
        """Give the claims that have their record."""
        rows = self._db.execute("SELECT key, ends_at FROM done")
        return {ClaimKey(key): _instant(ends_at) for key, ends_at in rows}

    def keep(self, turn: Turn) -> None:
        """Keep what a turn changed: a record, its claim's end and its report in one piece.

        Raises:
            StoreError: The disk took none of it; it may take the whole of it another time.
        """
        alive_at = turn.now.timestamp()
        bodies = {key: msgspec.json.encode(run) for key, run in turn.runs.items()}
        changed = [key for key, body in bodies.items() if self._runs.get(key) != body]
        gone = self._runs.keys() - bodies.keys()
        is_new = turn.done.keys() - self._done
        stale = self._done - turn.done.keys()
        if not (changed or gone or is_new or stale or turn.kept or turn.reports):
            return
        with self._using() as db:
            db.executemany(
                "INSERT OR REPLACE INTO run VALUES (?, ?, ?)",
                [(key, bodies[key], alive_at) for key in changed],
            )
            db.executemany("DELETE FROM run WHERE key = ?", [(key,) for key in gone])
            db.executemany(
                "INSERT OR REPLACE INTO done VALUES (?, ?)",
                [(key, turn.done[key].timestamp()) for key in is_new],
            )
            db.executemany("DELETE FROM done WHERE key = ?", [(key,) for key in stale])
            if turn.kept is not None:
                self._keep_token(turn.kept)
            self._keep_reports(turn.reports)
        self._runs, self._done = bodies, set(turn.done)

    def mark_alive(self, now: datetime) -> None:
        """Note that all runs are still under way.

        The time of an empty file says it: that outlives the process at once and a power cut after
        the file system's next commit, without a synced write each second that would wear the card.
        """
        try:
            self._alive.touch()
            os.utime(self._alive, (now.timestamp(), now.timestamp()))
        except OSError as error:
            raise StoreError(_trouble(error), str(error)) from error

    def reports(self, limit: int) -> tuple[KeptReport, ...]:
        """Give the oldest reports that are not acknowledged."""
        with self._using() as db:
            rows = db.execute(
                "SELECT report_id, body, message_id FROM report ORDER BY number LIMIT ?", (limit,)
            )
            return tuple(KeptReport(*row) for row in rows)

    def awaits_receipt(self, message_id: str) -> bool:
        """Say whether the receipt of an order is still unacknowledged."""
        with self._using() as db:
            found = db.execute(
                "SELECT 1 FROM report WHERE message_id = ? LIMIT 1", (message_id,)
            ).fetchone()
        return found is not None

    def forget_reports(self, report_ids: Iterable[str]) -> None:
        """Remove reports that are safe with the server.

        The disk is not waited for: an order may have come just behind this, and what a power cut
        brings back is sent once more, and known there.
        """
        try:
            with self._using() as db:
                db.execute("PRAGMA synchronous = NORMAL")
                db.executemany(
                    "DELETE FROM report WHERE report_id = ?", [(each,) for each in report_ids]
                )
        finally:
            self._db.execute(_ON_THE_DISK)

    def _open(self, path: Path) -> sqlite3.Connection:
        try:
            return _opened(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self.set_aside = _moved_aside(path)
            return _opened(path)

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._db:
                yield self._db
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            # A card that dies may damage it at any time; the next life begins with another.
            raise StoreError(_trouble(error), str(error)) from error

    def _keep_reports(self, reports: Iterable[KeptReport]) -> None:
        for report in reports:
            known = "SELECT 1 FROM report WHERE report_id = ?"
            if self._db.execute(known, (report.report_id,)).fetchone():
                continue
            body = report.body if report.record is None else self._chained(report.record)
            self._db.execute(
                "INSERT INTO report (report_id, body, message_id) VALUES (?, ?, ?)",
                (report.report_id, body, report.message_id),
            )

    def _chained(self, record: AsRun) -> bytes:
        """Put a record into the chain; the chain's end and the record are kept as one."""
        found = self._db.execute("SELECT name, number, digest FROM chain").fetchone()
        head, chained = linked(new_chain() if found is None else Head(*found), record)
        self._db.execute(
            "INSERT OR REPLACE INTO chain VALUES (1, ?, ?, ?)",
            (head.chain, head.number, head.digest),
        )
        return encode(chained)

    def _keep_token(self, kept: Kept) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?)",
            (
                kept.kind,
                kept.name,
                kept.raw,
                kept.accepted_at.timestamp(),
                kept.forget_at.timestamp(),
            ),
        )


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(_ON_THE_DISK)
        _check(db)
        db.executescript(_SCHEMA)
        # Of a read-only disk all can be read, and nothing tells before the first change.
        db.execute(f"PRAGMA user_version = {_FORMAT}")
        with closing(db.execute("SELECT body FROM run")) as rows:
            for (body,) in rows:
                msgspec.json.decode(body, type=Run)
    except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
        db.close()
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise sqlite3.DatabaseError(str(error)) from error
    return db


def _copied(path: Path, folder: Path) -> Path:
    """Copy what can be read of a database, its newest changes too, to where it can be changed."""
    for ending in ("", "-wal"):
        source = path.with_name(path.name + ending)
        try:
            shutil.copyfile(source, folder / source.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            # What there is of it counts as damaged; the server says again what it said.
            _log.error("store_unreadable", file=source.name, error=str(error))
    return folder / path.name


def _trouble(error: sqlite3.Error | OSError) -> str:
    if isinstance(error, OSError):
        name = errno.errorcode.get(error.errno or 0, "")
        return {"ENOSPC": "disk-full", "EROFS": "disk-read-only"}.get(name, "disk-failing")
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return "disk-full"
    is_closed = name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))
    return "disk-read-only" if is_closed else "disk-failing"


def _check(db: sqlite3.Connection) -> None:
    (verdict,) = db.execute("PRAGMA quick_check").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def _moved_aside(path: Path) -> Path:
    aside = path.with_suffix(".damaged")
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    return path.replace(aside)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
