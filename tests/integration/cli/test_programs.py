"""The programs as they are started: what they leave in the log and on the disk."""

import json
import os
import socket
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.app import sweep
from server.cli.installation import prepare
from server.cli.programs import held_port
from server.settings import Settings
from server.store.engine import open_engine
from server.store.migrations import downgrade

ROOT = Path(__file__).parents[3]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(state_dir=tmp_path / "state")
    prepare(made)
    return made


@pytest.mark.slow
def test_what_a_program_does_stands_in_its_log_a_line_of_json_each(settings):
    chosen = {"LOA_STATE_DIR": str(settings.state_dir)}
    with subprocess.Popen(
        [sys.executable, "-m", "server", "scheduler"],
        cwd=ROOT,
        env={**os.environ, **chosen},  # noqa: TID251 - handed on to the child
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stderr is not None
        line = json.loads(program.stderr.readline())
        program.terminate()
        program.communicate()
    assert line["event"] == "scheduler_leads"
    assert {"level", "timestamp", "logger"} <= line.keys()


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    ["gateway", *(pytest.param(one, marks=pytest.mark.slow) for one in ("scheduler", "web"))],
)
def test_a_program_does_not_run_on_older_tables_and_says_what_to_do(settings, program):
    engine = open_engine(settings.database)
    downgrade(engine, revision="0006")
    chosen = {"LOA_STATE_DIR": str(settings.state_dir)}
    ended = subprocess.run(
        [sys.executable, "-m", "server", program],
        cwd=ROOT,
        env={**os.environ, **chosen},  # noqa: TID251 - handed on to the child
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    engine.dispose()
    assert ended.returncode == 1
    assert "the tables are at 0006" in ended.stderr
    assert "loa db upgrade" in ended.stderr


def test_nobody_else_on_the_machine_may_look_into_the_state(settings):
    assert stat.S_IMODE(settings.state_dir.stat().st_mode) == 0o700


def test_files_of_uploads_that_were_cut_off_are_swept(settings):
    settings.upload_dir.mkdir()
    (settings.asset_dir / ".incoming-1").mkdir(parents=True)
    (settings.upload_dir / "upload-1").write_bytes(b"half")
    now = datetime.now(UTC)
    assert sweep(settings, before=now - timedelta(days=1)) == 0
    assert sweep(settings, before=now + timedelta(days=1)) == 2
    assert not list(settings.upload_dir.iterdir())


def test_the_port_of_a_program_that_died_is_given_to_nobody_else_while_its_keeper_lives():
    with held_port(28310) as first:
        with held_port(28310) as second:
            assert second != first
        with socket.create_server(("127.0.0.1", second)), held_port(second) as third:
            assert third not in {first, second}
    with held_port(first) as again:
        assert again == first
