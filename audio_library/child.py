"""Modules of this package run as processes of their own, with nothing of ours to steal."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def run_module(
    module: str, arguments: list[str], *, timeout_s: float, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m module`` with a bare environment and return what it said.

    Secrets live in the environment of the caller; none of it is passed on.

    Raises:
        subprocess.TimeoutExpired: It was ended because it took too long.
    """
    environment = {
        "PYTHONPATH": str(_ROOT),
        "LANG": "C.UTF-8",
        # Each arena reserves 64 MB of the address space that is limited.
        "MALLOC_ARENA_MAX": "2",
    }
    return subprocess.run(  # noqa: S603 - our own module, and a list of arguments
        [sys.executable, "-s", "-m", module, *arguments],
        env=environment,
        input=stdin,
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )


def last_words(stderr: bytes) -> str:
    """Take the end of what a program complained about, short enough to log."""
    return stderr.decode(errors="replace").strip()[-300:]
