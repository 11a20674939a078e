"""What each program loads before it does anything."""

import subprocess
import sys

import pytest

NOT_THEIRS = ("flask", "flask_security", "alembic", "av", "psycopg")


@pytest.mark.slow
@pytest.mark.parametrize(
    "program", ["server.mqtt.runner", "server.mqtt.broker", "server.scheduler.runner"]
)
def test_a_program_without_pages_loads_nothing_of_theirs(program: str):
    """Each of these costs a small machine a good part of a second at every start."""
    assert loaded_by(program) & {*NOT_THEIRS} == set()


@pytest.mark.slow
def test_the_pages_load_what_draws_paper_when_somebody_asks_for_paper():
    assert "fpdf" not in loaded_by("server.app")


def loaded_by(program: str) -> set[str]:
    asked = f"import sys, {program}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True, timeout=60
    )
    return set(done.stdout.split())
