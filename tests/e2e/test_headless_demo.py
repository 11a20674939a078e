"""The main job, end to end, on the broker that comes along: judged by what was heard."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.cli.demo.report import read_report
from server.cli.demo.waves import read_heard


@pytest.mark.timeout(240)
def test_every_cluster_sounds_what_it_should(tmp_path: Path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "server", "demo", "--headless", "--seconds", "75"]
    done = subprocess.run(
        [*command, "--out", str(out), "--broker", "amqtt", "--port", "18280"],
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = read_report(out)
    assert [order.kind for order in report.orders] == ["slot", "slot", "urgent", "urgent"]
    assert [len(order.targets) for order in report.orders] == [12, 3, 3, 3]
    assert len(report.as_run) == 21
    recordings = list((out / "heard").glob("*.wav"))
    assert len(recordings) == 12
    assert all(len(read_heard(path).samples) > 0 for path in recordings)
