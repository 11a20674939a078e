"""What every benchmark needs: databases of both kinds, a stopwatch, and the last line."""

import json
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from sqlalchemy import Engine

from server.store.engine import open_engine
from server.store.migrations import upgrade
from tests.factories.database import hurried, running_postgres

ENGINES = ("sqlite", "postgresql")


@contextmanager
def database(kind: str) -> Iterator[Engine]:
    """Open a migrated, empty database, and leave nothing of it behind."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
            engine = hurried(open_engine(f"sqlite:///{Path(folder) / 'loa.db'}"))
            upgrade(engine)
            yield engine
            engine.dispose()
        return
    with running_postgres() as server:
        engine = open_engine(server.url(server.create()))
        yield engine
        engine.dispose()


def rest(engine: Engine) -> None:
    """Let PostgreSQL do at once what it would do behind the figures: vacuum, count, write out."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")
            connection.exec_driver_sql("CHECKPOINT")


def timed_s(work: Callable[[], object]) -> float:
    """Tell how long something takes, in seconds."""
    started = perf_counter()
    work()
    return perf_counter() - started


def p50_ms(times_s: list[float]) -> float:
    """Tell the median, in milliseconds."""
    return round(1000 * float(statistics.median(times_s)), 2)


def p95_ms(times_s: list[float]) -> float:
    """Tell the time that nineteen of twenty stay below, in milliseconds."""
    return round(1000 * float(statistics.quantiles(times_s, n=20, method="inclusive")[-1]), 2)


def peak_rss_mb() -> float:
    """Tell the most memory that this process has ever held."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def say(line: str) -> None:
    """Tell whoever waits what is being measured."""
    sys.stderr.write(f"{line}\n")


def report(figures: Mapping[str, object]) -> None:
    """End with all figures as one line of JSON."""
    sys.stdout.write(f"{json.dumps(figures)}\n")
