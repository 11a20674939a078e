"""What somebody does who follows the documents: install, add, join."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.settings import Overrides, load
from server.cli.programs import held_port, is_healthy
from tests.factories.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]
LOA = (sys.executable, "-m", "server")
WITHIN_S = 60.0


def loa(state: Path, *arguments: str) -> str:
    command = [*LOA, *arguments, "--state", str(state)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WITHIN_S)
    return done.stdout


def read_until(process: subprocess.Popen[str], pattern: str) -> str:
    """Read what a program prints until a line matches; its standard error goes elsewhere."""
    read = ""
    assert process.stdout is not None
    for line in process.stdout:
        read += line
        if re.search(pattern, line):
            return read
    raise AssertionError(f"it ended and never said {pattern}; it said: {read}")


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.fixture(scope="module")
def state(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("first-steps")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with held_port(18180) as held:
        yield held


@pytest.fixture(scope="module")
def running(state: Path, port: int) -> Iterator[str]:
    """Run ``loa up`` on an empty folder; what it printed. Stopping it leaves nothing behind."""
    log = (state / "up.log").open("w")
    with pytest.MonkeyPatch.context() as environment, held_port(18883) as mqtt_port:
        # Only for the server: a command that comes later finds by itself where the server is.
        environment.setenv("LOA_MQTT_PORT", str(mqtt_port))
        process = subprocess.Popen(
            [*LOA, "up", "--state", str(state), "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield read_until(process, r"loa user add")
        children = children_of(process.pid)
        assert len(children) == 5
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN_S) == 0
        wait_until(lambda: all(is_gone(child) for child in children), within_s=5)
    finally:
        process.terminate()
        process.wait(WITHIN_S)
        log.close()
        if process.stdout is not None:
            process.stdout.close()


def test_the_first_run_says_where_the_pages_are_and_what_is_to_be_done(running, port):
    assert f"http://127.0.0.1:{port}" in running
    assert "loa unit add" in running
    assert is_healthy("127.0.0.1", port)


@pytest.mark.usefixtures("running")
def test_a_second_server_on_the_same_folder_is_refused(state):
    with pytest.raises(subprocess.CalledProcessError) as refused:
        loa(state, "up")
    assert "another loa runs on" in refused.value.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("running")
def test_a_client_written_from_the_protocol_document_alone_joins(state):
    """The block in protocol/README.md is a node: it takes its config, and says so."""
    node_file = state / "node.json"
    loa(state, "unit", "add", "tinh-thu", "--name", "Tỉnh thử")
    loa(state, "unit", "add", "xa-thu", "--name", "Xã thử", "--under", "tinh-thu")
    loa(state, "cluster", "add", "thon-thu", "--name", "Thôn thử", "--unit", "xa-thu")
    loa(state, "node", "add", "thon-thu", "--out", str(node_file))
    assert load(node_file, Overrides()).node.startswith("node-thon-thu-")

    client = state / "client.py"
    client.write_text(documented_client())
    command = [sys.executable, str(client), str(node_file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        said = read_until(process, r"/unit/xa-thu/plan")
        assert '"cluster": "thon-thu"' in said
        assert "refused" not in said
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def documented_client() -> str:
    text = (REPOSITORY / "protocol" / "README.md").read_text("utf-8")
    found = re.search(r'```python title="a node in twenty lines"\n(.*?)```', text, re.DOTALL)
    assert found is not None
    return found.group(1)
