"""What each program loads before it does anything."""

import subprocess
import sys

import pytest

NOT_THEIRS = ("flask", "flask_security", "alembic", "av", "psycopg")


@pytest.mark.parametrize(
    "program", ["server.mqtt.runner", "server.mqtt.broker", "server.scheduler.runner"]
)
def test_a_program_without_pages_loads_nothing_of_theirs(program: str):
    """Each of these costs a small machine a good part of a second at every start."""
    asked = f"import sys, {program}; print(*sorted(sys.modules.keys() & {{*{NOT_THEIRS}}}))"
    done = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == []
