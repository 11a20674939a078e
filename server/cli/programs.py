"""The server's programs: how each is run, and how ``loa up`` and ``loa demo`` start them."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from threading import Event

import click

from server.cli.errors import NoFreePortError, OtherTablesError
from server.cli.options import environment_of, example
from server.cli.supervisor import Program
from server.observability import set_up_logging
from server.settings import Settings

WEB_THREADS = 48
"""One worker with many threads: event streams hold one each, and SQLite has one writer anyway."""

_ASK_S = 2.0
_CONNECT_S = 0.3


@click.command(epilog=example("LOA_DATABASE_URL=postgresql+psycopg:///loa loa web --workers 4"))
@click.option("--workers", default=1, show_default=True, help="Processes that answer requests.")
def web(workers: int) -> None:
    """Run pages and API under gunicorn, until stopped."""
    settings = Settings()
    demand_tables(settings)
    command = web_command(settings, workers)
    os.execv(command[0], command)  # noqa: S606 - becomes gunicorn, so that signals reach it


@click.command(epilog=example("loa scheduler"))
def scheduler() -> None:
    """Run the program that turns slots into plans and notices what is late, until stopped.

    A second one waits, and takes over when the first ends.
    """
    from server.scheduler.runner import run  # noqa: PLC0415 - each program imports its own

    set_up_logging()
    settings = Settings()
    demand_tables(settings)
    run(settings, stop_on_signals())


@click.command(epilog=example("LOA_MQTT_HOST=broker.example.vn loa gateway"))
def gateway() -> None:
    """Run the link between the database and the broker, until stopped."""
    from server.mqtt.runner import run  # noqa: PLC0415 - each program imports its own

    set_up_logging()
    settings = Settings()
    demand_tables(settings)
    run(settings, stop_on_signals())


@click.command(epilog=example("LOA_LIVE_DELAY_S=0.6 loa live"))
def live() -> None:
    """Run the program that takes microphones of live broadcasts, until stopped."""
    from server.live.runner import run  # noqa: PLC0415 - each program imports its own

    set_up_logging()
    settings = Settings()
    demand_tables(settings)
    run(settings, stop_on_signals())


@click.command(epilog=example("loa broker --kind mosquitto"))
@click.option(
    "--kind",
    type=click.Choice(["auto", "mosquitto", "amqtt"]),
    default="auto",
    show_default=True,
    help="mosquitto needs Debian's program; amqtt comes along, for trying out only.",
)
def broker(kind: str) -> None:
    """Run the embedded broker, with the nodes' passwords out of the database, until stopped."""
    from server.mqtt.broker import run  # noqa: PLC0415 - each program imports its own

    set_up_logging()
    run(Settings(), stop_on_signals(), kind)


def demand_tables(settings: Settings) -> None:
    """Refuse to run on tables of another shape: every page and message would fail.

    Raises:
        OtherTablesError: With what is to be done.
    """
    # Imported late: whoever only asks for help needs no database.
    from server.store.engine import open_engine  # noqa: PLC0415 - as said
    from server.store.migrations import newest, revision_of  # noqa: PLC0415 - as said

    engine = open_engine(settings.database)
    try:
        found = revision_of(engine)
    finally:
        engine.dispose()
    if found != newest():
        raise OtherTablesError(found, newest())


def stop_on_signals() -> Event:
    """Make an event that is set when this program is told to end."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def server_programs(settings: Settings, broker_kind: str) -> tuple[Program, ...]:
    """List what one machine runs, in the order of starting."""
    return (
        web_program(settings),
        _program(
            settings,
            *("broker", "--kind", broker_kind),
            is_ready=lambda: is_listening(settings.mqtt_host, settings.mqtt_port),
        ),
        _program(settings, "gateway", rank=1),
        _program(settings, "scheduler", rank=1),
        _program(settings, "live", rank=1),
    )


def web_program(settings: Settings) -> Program:
    """Tell how pages and API are run; the first to be started, for it takes longest."""
    return Program(
        "web",
        web_command(settings, workers=1),
        environment_of(settings),
        lambda: is_healthy(settings.host, settings.port),
        rank=1,
    )


def web_command(settings: Settings, workers: int) -> tuple[str, ...]:
    """Write the command line of gunicorn."""
    return (
        *(sys.executable, "-m", "gunicorn", "server.wsgi:app"),
        *("--bind", f"{settings.host}:{settings.port}"),
        *("--workers", str(workers), "--worker-class", "gthread", "--threads", str(WEB_THREADS)),
        # Open event streams would otherwise hold up a stop or a restart.
        *("--graceful-timeout", "2", "--timeout", "60", "--keep-alive", "30"),
        *("--log-level", "warning", "--no-control-socket"),
        # Heartbeats of workers belong into memory, not onto a card.
        *("--worker-tmp-dir", "/dev/shm"),  # noqa: S108 - gunicorn makes its own private files
    )


def _program(
    settings: Settings,
    name: str,
    *arguments: str,
    is_ready: Callable[[], bool] | None = None,
    rank: int = 0,
) -> Program:
    command = (sys.executable, "-m", "server", name, *arguments)
    return Program(name, command, environment_of(settings), is_ready, rank)


def is_listening(host: str, port: int) -> bool:
    """Say whether somebody accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_S):
            return True
    except OSError:
        return False


def is_healthy(host: str, port: int) -> bool:
    """Say whether the web program answers, with its database."""
    connection = HTTPConnection(host, port, timeout=_ASK_S)
    try:
        connection.request("GET", "/api/v1/health")
        return connection.getresponse().status == 200  # noqa: PLR2004 - HTTP's own number
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def held_port(wanted: int, host: str = "127.0.0.1", tries: int = 50) -> Iterator[int]:
    """Find a port to listen on, the wanted one or one of the next, and keep it for this process.

    A program that is killed leaves its port free until it is started again: meanwhile nobody else
    who asks here is given it. Who has it says so by an abstract socket of Linux, which lives as
    long as its process.

    Raises:
        NoFreePortError: All are taken.
    """
    for port in range(wanted, wanted + tries):
        with socket.socket(socket.AF_UNIX) as hold, socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                hold.bind(f"\0loalang-port-{port}")
                probe.bind((host, port))
            except OSError:
                continue
            probe.close()
            yield port
            return
    raise NoFreePortError(wanted, wanted + tries - 1)
