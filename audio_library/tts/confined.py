"""Run an engine under limits of time, memory and file size, by becoming it.

``python -m audio_library.tts.confined PROGRAM ARGUMENT…``: an engine that runs wild, or a voice
that is not what it seems, ends itself and fills no disk.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

from audio_library.child import last_words
from audio_library.errors import SpeechError

TIMEOUT_S = 60.0
MOST_BYTES = 64_000_000
"""Twelve minutes at 44.1 kHz."""

_CPU_S = 120
_MEMORY_BYTES = 4_000_000_000
_HEADER_BYTES = 44


def confine() -> None:
    """Limit this process for good."""
    _limit(resource.RLIMIT_CPU, _CPU_S)
    _limit(resource.RLIMIT_FSIZE, MOST_BYTES)
    _limit(resource.RLIMIT_AS, _MEMORY_BYTES)
    _limit(resource.RLIMIT_CORE, 0)


def spoken(wav: Path, done: subprocess.CompletedProcess[bytes]) -> Path:
    """Return the file that an engine has written.

    Raises:
        SpeechError: It failed or said nothing; the file is gone.
    """
    made = wav.stat().st_size if wav.exists() else 0
    if done.returncode != 0 or made <= _HEADER_BYTES:
        wav.unlink(missing_ok=True)
        raise SpeechError(f"exit {done.returncode}: {last_words(done.stderr) or 'no sound'}")
    return wav


def _limit(what: int, most: int) -> None:
    _soft, hard = resource.getrlimit(what)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (allowed, hard))


if __name__ == "__main__":
    confine()
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the engine that was chosen, and no shell
