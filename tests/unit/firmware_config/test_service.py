"""The systemd unit lets the node do what it does, and little else."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edge.__main__ import STARTED_AGAIN

UNIT = Path(__file__).parents[3] / "firmware_config" / "systemd" / "loalang-node.service"


def said(key: str) -> list[str]:
    lines = UNIT.read_text("utf-8").splitlines()
    return " ".join(line.split("=", 1)[1] for line in lines if line.startswith(f"{key}=")).split()


def test_the_node_may_ask_how_well_its_clock_is_kept_and_is_not_killed_for_what_it_may_not():
    allowed = said("SystemCallFilter")
    assert {"@system-service", "adjtimex", "clock_adjtime"} <= set(allowed)
    assert said("SystemCallErrorNumber") == ["EPERM"]
    assert said("CapabilityBoundingSet") == []


def test_a_restart_that_was_ordered_is_one_for_systemd_and_no_failure():
    assert said("SuccessExitStatus") == [str(STARTED_AGAIN)]
    # Else what succeeds would not be started again.
    assert said("Restart") == ["always"]
    assert said("RestartPreventExitStatus") == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd to judge it")
def test_systemd_judges_the_unit_to_be_well_confined():
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=30", str(UNIT)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-300:]
