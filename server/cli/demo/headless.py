"""A headless run: perform, record, report, judge."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event

import click

from server.cli.demo.directing import Director
from server.cli.demo.judge import Verdict, judge
from server.cli.demo.performance import Performance
from server.cli.demo.report import KIND_SLOT, Report, write_report
from server.cli.demo.sources import SourceWriter
from server.cli.demo.stage import Stage, open_stage

_HALF_A_MILLISECOND = timedelta(microseconds=500)
_LEFT_BEHIND = ("heard", "source", "state")


@dataclass(frozen=True, slots=True)
class HeadlessRun:
    """What was asked for.

    Attributes:
        out: Folder that is left behind.
        seconds: About how long it may take.
        state: Folder of the server and the nodes.
        port: Port of the pages.
        broker: Which broker to use.
    """

    out: Path
    seconds: int
    state: Path
    port: int
    broker: str

    def __call__(self, stop: Event) -> int:
        """Perform and judge; the exit status."""
        empty(self.out)
        with open_stage(self.state, self.port, self.broker, stop) as stage:
            report = perform(stage, self.out, self.seconds, stop)
        return conclude(self.out, report)


def empty(out: Path) -> None:
    """Remove what a former run left in a folder, and nothing else."""
    for name in _LEFT_BEHIND:
        shutil.rmtree(out / name, ignore_errors=True)
    (out / "report.json").unlink(missing_ok=True)


def perform(stage: Stage, out: Path, seconds: int, stop: Event) -> Report:
    """Bring the nodes, recording, and perform; this thread watches over the programs."""
    heard = out / "heard"
    heard.mkdir(parents=True, exist_ok=True)
    stage.bring_all(heard, stop)
    director = Director(SourceWriter(out), stop)
    performance = Performance(stage.settings.address, director, stage.settings.state_dir)
    over = Event()
    with ThreadPoolExecutor(1, "performance") as threads:
        performed = threads.submit(performance.run, seconds)
        performed.add_done_callback(lambda _performed: over.set())
        stage.supervisor.watch(over)
        return performed.result()


def conclude(out: Path, report: Report) -> int:
    """Write the report, judge the run, and say so; the exit status."""
    click.echo(f"report: {write_report(out, report)}")
    verdict = judge(out)
    for line in table(verdict):
        click.echo(line)
    for fault in verdict.faults:
        click.echo(f"FAULT: {fault}", err=True)
    click.echo(f"{len(verdict.faults)} faults" if verdict.faults else "every cluster was right")
    return 1 if verdict.faults else 0


def table(verdict: Verdict) -> list[str]:
    """Lay out what was found, one line for each order at each target."""
    rows = [
        f"{'order':<18} {'cluster':<15} {'began (UTC)':<13} {'late':>22} {'like':>5} {'whole':>6}"
    ]
    for line in sorted(verdict.lines, key=lambda line: (line.order.earliest, line.cluster)):
        began = (line.start + _HALF_A_MILLISECOND).strftime("%H:%M:%S.%f")[:-3]
        since = "plan" if line.order.kind == KIND_SLOT else "post"
        late = f"{line.late_s * 1000:+.1f} ms after {since}"
        like, whole = f"{line.score:.2f}", f"{line.coverage:.0%}"
        name = line.order.way or line.order.id
        rows.append(_row(name[:18], line.cluster, began, late, like, whole))
    return rows


def _row(*cells: str) -> str:
    order, cluster, began, late, like, whole = cells
    return f"{order:<18} {cluster:<15} {began:<13} {late:>22} {like:>5} {whole:>6}"
