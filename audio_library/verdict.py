"""What the process that prepares a file tells the one that started it.

Apart from ``prepare``, so that a web worker can read a verdict without loading FFmpeg.
"""

from dataclasses import dataclass

from audio_library.assets import Loudness
from audio_library.errors import Reason


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
