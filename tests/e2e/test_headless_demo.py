"""The main job, end to end, on the broker that comes along: judged by what was heard."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.cli.demo.report import Report, read_report
from server.cli.demo.waves import read_heard


@pytest.mark.timeout(240)
def test_every_cluster_sounds_what_it_should(tmp_path: Path):
    report = performed(tmp_path / "run", seconds=75, broker="amqtt")
    assert [order.kind for order in report.orders] == ["slot", "slot", "urgent", "urgent"]
    assert [len(order.targets) for order in report.orders] == [12, 3, 3, 3]
    assert len(report.as_run) == 21


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_with_more_time_it_sounds_what_is_typed_prepared_spoken_live_and_rehearsed(tmp_path: Path):
    report = performed(tmp_path / "run", seconds=180, broker="auto")
    ways = {order.way for order in report.orders[4:]}
    assert ways == {"typed", "warning", "all-clear", "live", "drill"}
    assert len(report.as_run) == 21 + 5 * 3


def performed(out: Path, *, seconds: int, broker: str) -> Report:
    """Perform, and find that the judge had nothing to say against it."""
    command = [sys.executable, "-m", "server", "demo", "--headless", "--seconds", str(seconds)]
    done = subprocess.run(
        [*command, "--out", str(out), "--broker", broker, "--port", "18280"],
        capture_output=True,
        text=True,
        timeout=3 * seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    recordings = list((out / "heard").glob("*.wav"))
    assert len(recordings) == 12
    assert all(len(read_heard(path).samples) > 0 for path in recordings)
    return read_report(out)
