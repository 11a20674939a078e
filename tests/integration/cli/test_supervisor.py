"""The keeper of child processes, with real ones."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from server.cli.errors import ProgramFailedError
from server.cli.supervisor import Program, Supervisor, bound_log
from tests.factories.waiting import wait_until

SLEEPER = (sys.executable, "-c", "import signal; signal.pause()")


def keep_until(supervisor: Supervisor, met: Callable[[], bool]) -> None:
    """Let the supervisor look after its programs until something holds."""

    def looked() -> bool:
        supervisor.look()
        return met()

    wait_until(looked)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_that_was_killed_runs_again(tmp_path: Path):
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(Program("sleeper", SLEEPER))
        first = supervisor.pid("sleeper")
        assert first is not None
        os.kill(first, signal.SIGKILL)
        keep_until(supervisor, lambda: supervisor.pid("sleeper") not in {first, None})


def test_a_program_that_keeps_dying_is_given_ever_longer_pauses(tmp_path: Path):
    counter = tmp_path / "runs"
    script = f"open({str(counter)!r}, 'a').write('x')"
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(Program("dying", (sys.executable, "-c", script)))
        begun_s = monotonic()
        keep_until(supervisor, lambda: counter.exists() and len(counter.read_text()) == 4)
        # Pauses of 0.2, 0.4 and 0.8 s lie between four runs.
        assert monotonic() - begun_s >= 1.4


def test_programs_of_a_higher_rank_have_ended_before_a_lower_one_is_stopped(tmp_path: Path):
    order = tmp_path / "order"
    script = (
        "import signal, sys\n"
        "def end(*_):\n"
        f"    open({str(order)!r}, 'a').write(sys.argv[1]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "open(sys.argv[2], 'w').close()\n"
        "signal.pause()\n"
    )
    with Supervisor(tmp_path) as supervisor:
        for rank, name in ((1, "b"), (0, "a"), (2, "c")):
            ready = tmp_path / f"{name}.ready"
            command = (sys.executable, "-c", script, name, str(ready))
            supervisor.start(Program(name, command, is_ready=ready.exists, rank=rank))
        supervisor.wait_ready(Event())
    assert order.read_text() == "cba"


def test_a_program_that_will_not_stop_is_killed(tmp_path: Path):
    ready = tmp_path / "ready"
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open(sys.argv[1], 'w').close()\n"
        "while True: signal.pause()\n"
    )
    supervisor = Supervisor(tmp_path, grace_s=0.3)
    supervisor.start(
        Program("deaf", (sys.executable, "-c", script, str(ready)), is_ready=ready.exists)
    )
    supervisor.wait_ready(Event())
    pid = supervisor.pid("deaf")
    assert pid is not None
    supervisor.close()
    assert not is_alive(pid)


def test_children_do_not_outlive_a_keeper_that_was_killed(tmp_path: Path):
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from threading import Event\n"
        "from server.cli.supervisor import Program, Supervisor\n"
        "keeper = Supervisor(Path(sys.argv[1]))\n"
        "sleeper = (sys.executable, '-c', 'import signal; signal.pause()')\n"
        "keeper.start(Program('sleeper', sleeper))\n"
        "Path(sys.argv[1], 'pid').write_text(str(keeper.pid('sleeper')))\n"
        "Event().wait(60)\n"
    )
    keeper = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    noted = tmp_path / "pid"
    wait_until(lambda: noted.exists() and noted.read_text() != "")
    child = int(noted.read_text())
    assert is_alive(child)
    keeper.kill()
    keeper.wait()
    wait_until(lambda: not is_alive(child))


def test_a_program_that_does_not_come_up_is_named_with_its_last_words(tmp_path: Path):
    script = "import sys; sys.exit('the port is taken')"
    with Supervisor(tmp_path) as supervisor:
        program = Program("web", (sys.executable, "-c", script), is_ready=lambda: False)
        supervisor.start(program)
        with pytest.raises(ProgramFailedError) as failure:
            supervisor.wait_ready(Event())
    assert failure.value.program == "web"
    assert failure.value.last_lines == ("the port is taken",)


def test_a_log_that_grew_too_long_is_kept_once_and_begun_anew(tmp_path: Path):
    path = tmp_path / "web.log"
    with path.open("ab") as writer:
        writer.write(b"x" * 50)
        writer.flush()  # the other reader looks at the file itself
        bound_log(path, limit_bytes=40)
        writer.write(b"after")
    assert path.read_bytes() == b"after"
    assert (tmp_path / "web.log.1").read_bytes() == b"x" * 50
