"""``loa demo``: run the province, to be looked at or to be judged."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from server.cli.demo.stage import open_stage
from server.cli.demo.welcome import welcome
from server.cli.options import example
from server.cli.programs import stop_on_signals
from server.observability import set_up_logging

STATE = Path("var/demo")
LEAST_SECONDS = 75
MOST_SECONDS = 600


@click.command(epilog=example("loa demo --headless --seconds 90 --out demo-run"))
@click.option("--headless", is_flag=True, help="Perform by itself, judge the recordings, and end.")
@click.option(
    "--seconds",
    type=click.IntRange(LEAST_SECONDS, MOST_SECONDS),
    default=90,
    show_default=True,
    help="About how long a headless run takes; with 180 it performs more.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-run"),
    show_default=True,
    help="Where a headless run leaves recordings, sources and report.",
)
@click.option("--port", default=8080, show_default=True, help="Port of the pages, or one above.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that the demo keeps.  [default: var/demo; headless: OUT/state]",
)
@click.option(
    "--broker",
    type=click.Choice(["auto", "mosquitto", "amqtt"]),
    default="auto",
    show_default=True,
    help="auto: Debian's mosquitto where it is found, else amqtt.",
)
def demo(
    *, headless: bool, seconds: int, out: Path, port: int, state: Path | None, broker: str
) -> None:
    """Run a small province on this machine: server, broker and twelve nodes, as processes.

    Without --headless it keeps running, and prints where the pages are and who may log in. With
    it the province performs by itself: a programme everywhere, an urgent announcement in the
    middle of it, a commune's programme, an announcement that is stopped half-way. From 180 seconds
    on, also a text that is read aloud, a prepared warning and its all-clear, somebody who speaks
    live, and a drill. The exit status is 0 only when every cluster sounded what it should, judged
    by the recordings.
    """
    set_up_logging()
    stop = stop_on_signals()
    if headless:
        from server.cli.demo.headless import HeadlessRun  # noqa: PLC0415 - numpy and more

        sys.exit(HeadlessRun(out, seconds, state or out / "state", port, broker)(stop))
    with open_stage(state or STATE, port, broker, stop) as stage:
        welcome(stage.settings)
        stage.bring_all(None, stop)
        from server.cli.demo.programmes import (  # noqa: PLC0415 - the whole store
            prepare_warnings,
            put_on_programmes,
        )

        put_on_programmes(stage.settings, datetime.now(UTC))
        prepare_warnings(stage.settings, stop, datetime.now(UTC))
        stage.supervisor.watch(stop)
