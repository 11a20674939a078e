"""What the process that prepares a file tells the one that started it.

Apart from ``prepare``, so that a web worker can read a verdict without loading FFmpeg.
"""

import signal
from dataclasses import dataclass

import msgspec

from audio_library.assets import Loudness
from audio_library.errors import PreparationError, Reason, RefusedAudioError

_CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL},
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came of a file that was accepted; its file is at the path that was asked for."""

    frames: int
    container: str
    codec: str
    rate_hz: int
    channels: int
    lost_packets: int
    before: Loudness
    after: Loudness
    gain_db: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a file was not accepted."""

    reason_code: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the process prints: exactly one of the two is set."""

    prepared: Prepared | None = None
    refused: Refused | None = None


def prepared_or_refused(exit_status: int, stdout: bytes, last_words: str) -> Prepared:
    """Read how the process ended.

    Args:
        exit_status: Zero, an error's number, or minus the signal that ended the process.
        stdout: What it printed.
        last_words: What it complained about last.

    Raises:
        RefusedAudioError: The file is to blame: it was refused, or it broke the decoder.
        PreparationError: Anything else, such as a full disk.
    """
    if exit_status == -signal.SIGXCPU:
        raise RefusedAudioError(Reason.TIMEOUT, "too much work for its length")
    if -exit_status in _CRASHES:
        raise RefusedAudioError(Reason.DAMAGED, f"the decoder died of signal {-exit_status}")
    if exit_status != 0:
        raise PreparationError(f"exit {exit_status}: {last_words}")
    try:
        verdict = msgspec.json.decode(stdout, type=Verdict)
    except msgspec.MsgspecError as error:
        raise PreparationError(f"no verdict: {error}") from error
    if verdict.refused:
        raise RefusedAudioError(verdict.refused.reason_code, verdict.refused.detail)
    if verdict.prepared is None:
        raise PreparationError("an empty verdict")
    return verdict.prepared
