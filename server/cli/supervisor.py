"""Run several programs as one: started in order, restarted when they die, stopped together."""

import ctypes
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic
from types import MappingProxyType, TracebackType
from typing import Self

import structlog

from server.cli.errors import ProgramFailedError

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
HEALTHY_S = 10.0
"""A program that ran so long starts again after the shortest pause."""
GRACE_S = 5.0
READY_WITHIN_S = 30.0
LOG_LIMIT_BYTES = 4_000_000

_LOOK_S = 0.05
_MIND_LOGS_S = 30.0
_PR_SET_PDEATHSIG = 1
_LAST_LINES = 12

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Program:
    """One program to keep running.

    Attributes:
        name: Names its log file too.
        command: What to execute.
        environment: Variables added to those of this process.
        is_ready: Asked until it says yes; None: ready as soon as it runs.
        rank: Those of a higher rank are stopped, and have ended, before those of a lower one.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_ready: Callable[[], bool] | None = None
    rank: int = 0


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    started_s: float
    pause_s: float = FIRST_PAUSE_S
    start_again_s: float | None = field(default=None)


class Supervisor:
    """Keeper of child processes. All methods belong to the thread that made it.

    Linux ends a child that asked for it when the *thread* that started it ends, so that children
    never outlive their keeper, even one that was killed.
    """

    def __init__(self, log_dir: Path, *, grace_s: float = GRACE_S) -> None:
        self._log_dir = log_dir
        self._grace_s = grace_s
        self._children: list[_Child] = []
        self._libc = ctypes.CDLL(None, use_errno=True)
        log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self, program: Program) -> None:
        """Start a program, and keep it running from now on."""
        self._children.append(_Child(program, self._spawn(program), monotonic()))

    def wait_ready(self, stop: Event, within_s: float = READY_WITHIN_S) -> None:
        """Wait until every program that can tell is ready, or ``stop`` is set.

        Raises:
            ProgramFailedError: One ended, or is not ready in time; carries its last log lines.
        """
        deadline_s = monotonic() + within_s
        waiting = [child for child in self._children if child.program.is_ready]
        while waiting and not stop.is_set():
            child = waiting[0]
            if child.process.poll() is not None:
                raise self._failure(child, f"ended with {child.process.returncode}")
            if child.program.is_ready is None or child.program.is_ready():
                waiting.pop(0)
            elif monotonic() > deadline_s:
                raise self._failure(child, f"not ready within {within_s:.0f} s")
            else:
                stop.wait(_LOOK_S)

    def watch(self, stop: Event, on_look: Callable[[], None] = lambda: None) -> None:
        """Keep the programs running until ``stop`` is set.

        Args:
            stop: Ends the watch.
            on_look: Called at every look, some twenty times a second.
        """
        logs_minded_s = monotonic()
        while not stop.wait(_LOOK_S):
            self.look()
            on_look()
            if monotonic() - logs_minded_s > _MIND_LOGS_S:
                logs_minded_s = monotonic()
                self._bound_logs()

    def look(self) -> None:
        """Start again what has died and has waited long enough."""
        now_s = monotonic()
        for child in self._children:
            if child.process.poll() is None:
                continue
            if child.start_again_s is None:
                self._note_death(child, now_s)
            elif now_s >= child.start_again_s:
                child.process = self._spawn(child.program)
                child.started_s, child.start_again_s = now_s, None

    def pid(self, name: str) -> int | None:
        """Tell the process id of a program that runs now."""
        for child in self._children:
            if child.program.name == name and child.process.poll() is None:
                return child.process.pid
        return None

    def close(self) -> None:
        """Stop all programs, rank by rank; kill what does not stop in time."""
        for rank in sorted({child.program.rank for child in self._children}, reverse=True):
            self._stop([child for child in self._children if child.program.rank == rank])
        self._children.clear()

    def _stop(self, children: Sequence[_Child]) -> None:
        for child in children:
            child.process.terminate()
        deadline_s = monotonic() + self._grace_s
        for child in children:
            try:
                child.process.wait(max(0.0, deadline_s - monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("program_killed", program=child.program.name)
                child.process.kill()
                child.process.wait()

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        with self._log_path(program.name).open("ab") as out:
            return subprocess.Popen(  # noqa: S603 - our own programs
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=_environment(program.environment),
                # A group of its own: Ctrl-C at the terminal reaches the keeper alone.
                process_group=0,
                preexec_fn=self._die_with_keeper,  # noqa: PLW1509 - one C call, no lock taken
            )

    def _die_with_keeper(self) -> None:
        self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    def _note_death(self, child: _Child, now_s: float) -> None:
        lasted_s = now_s - child.started_s
        if lasted_s >= HEALTHY_S:
            child.pause_s = FIRST_PAUSE_S
        child.start_again_s = now_s + child.pause_s
        log.warning(
            "program_died",
            program=child.program.name,
            exit_status=child.process.returncode,
            lasted_s=round(lasted_s, 1),
            again_in_s=child.pause_s,
        )
        child.pause_s = min(LONGEST_PAUSE_S, child.pause_s * 2)

    def _failure(self, child: _Child, what: str) -> ProgramFailedError:
        path = self._log_path(child.program.name)
        lines = path.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:]
        return ProgramFailedError(child.program.name, what, tuple(lines))

    def _bound_logs(self) -> None:
        for child in self._children:
            bound_log(self._log_path(child.program.name))

    def _log_path(self, name: str) -> Path:
        return self._log_dir / f"{name}.log"


def bound_log(path: Path, limit_bytes: int = LOG_LIMIT_BYTES) -> None:
    """Keep a log that grew past its limit as ``.1`` and begin it anew.

    The writers have it open for appending, so it is emptied in place and not renamed.
    """
    if path.exists() and path.stat().st_size > limit_bytes:
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **added}  # noqa: TID251 - handed on to children, not read
