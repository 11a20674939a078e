"""Read recordings: samples, and the instant at which the first of them sounded."""

import wave
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np

from server.cli.demo.matching import RATE_HZ, Samples

_SAMPLE_BYTES = 2


class Beginning(msgspec.Struct, frozen=True):
    """What stands beside a recording."""

    start: datetime
    sample_rate: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What one loudspeaker sounded, and when."""

    samples: Samples
    start: datetime

    def position_s(self, instant: datetime) -> float:
        """Tell how many seconds into the recording an instant lies."""
        return (instant - self.start).total_seconds()

    def sample(self, instant: datetime) -> int:
        """Tell which sample sounded at an instant."""
        return round(self.position_s(instant) * RATE_HZ)

    def instant(self, sample: int) -> datetime:
        """Tell when a sample sounded."""
        return self.start + timedelta(seconds=sample / RATE_HZ)


def read_heard(path: Path) -> Heard:
    """Read a recording and what stands beside it."""
    beginning = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Beginning)
    if beginning.sample_rate != RATE_HZ:
        raise ValueError(f"{path} was recorded at {beginning.sample_rate} Hz")
    return Heard(read_wav(path), beginning.start)


def read_wav(path: Path) -> Samples:
    """Read 16-bit mono WAV at 48 kHz."""
    with wave.open(str(path), "rb") as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if shape != (1, _SAMPLE_BYTES, RATE_HZ):
            raise ValueError(f"{path} is not 16-bit mono at {RATE_HZ} Hz but {shape}")
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return pcm.astype(np.float32) / 32768.0
