"""Modules of this package run as processes of their own, with nothing of ours to steal."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_ENVIRONMENT = {
    "PYTHONPATH": str(_ROOT),
    "LANG": "C.UTF-8",
    # Each arena reserves 64 MB of the address space that is limited.
    "MALLOC_ARENA_MAX": "2",
}
_CHUNK_BYTES = 8192


def run_module(
    module: str, arguments: list[str], *, timeout_s: float, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m module`` with a bare environment and return what it said.

    Secrets live in the environment of the caller; none of it is passed on.

    Raises:
        subprocess.TimeoutExpired: It was ended because it took too long.
    """
    return subprocess.run(  # noqa: S603 - our own module, and a list of arguments
        [sys.executable, "-s", "-m", module, *arguments],
        env=_ENVIRONMENT,
        input=stdin,
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )


def stream_module(module: str, *, stdin: bytes) -> Iterator[bytes]:
    """Run ``python -m module`` and yield what it says as it says it.

    It can say no more than is read, and it is ended when the iterator is closed.
    """
    running = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-s", "-m", module],
        env=_ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with running:
        assert running.stdin is not None  # noqa: S101 - narrows what was asked for above
        assert running.stdout is not None  # noqa: S101 - narrows what was asked for above
        try:
            running.stdin.write(stdin)
            running.stdin.close()
            while chunk := os.read(running.stdout.fileno(), _CHUNK_BYTES):
                yield chunk
        finally:
            running.kill()


def last_words(stderr: bytes) -> str:
    """Take the end of what a program complained about, short enough to log."""
    return stderr.decode(errors="replace").strip()[-300:]
