"""How loud a piece is, and how much to turn it up or down."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from av.audio.frame import AudioFrame

from audio_library.assets import RATE_HZ, Loudness
from audio_library.frames import Chain, MonoReader

TARGET_LUFS = -16.0
"""Speech through horn loudspeakers; the -23 of television would waste amplifier."""
CEILING_DBTP = -3.0
"""Room for the overshoot of a lossy codec: 1.9 dB were measured at 32 kbit/s."""
MAX_GAIN_DB = 15.0
SILENCE_LUFS = -70.0
"""The absolute gate of BS.1770: nothing in the piece was louder than this."""
SILENCE_DBTP = -120.0

# The meter works in blocks of 0.4 s; a shorter clip is followed by silence to fill one.
_METER = (
    ("apad", f"whole_len={RATE_HZ // 2}"),
    ("ebur128", "metadata=1:peak=true:framelog=quiet"),
)


class Meter:
    """Listens to frames passing by and tells their loudness at the end."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self.frames = 0
        self._chain: Chain | None = None
        self._facts: dict[str, str] = {}

    def listen(self, frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
        """Yield every frame on, after measuring it."""
        for frame in frames:
            self.frames += frame.samples
            self._chain = self._chain or Chain(frame, _METER)
            self._take(self._chain, frame)
            yield frame
        if self._chain:
            self._take(self._chain, None)

    def loudness(self) -> Loudness:
        """Tell the loudness of all that has passed."""
        peak = float(self._facts.get("lavfi.r128.true_peak", "0"))
        integrated = float(self._facts.get("lavfi.r128.I", "-inf"))
        return Loudness(
            integrated_lufs=max(SILENCE_LUFS, integrated),
            peak_dbtp=20 * math.log10(peak) if peak > 0 else SILENCE_DBTP,
        )

    def _take(self, chain: Chain, frame: AudioFrame | None) -> None:
        for measured in chain.feed(frame):
            self._facts.update(measured.metadata)


def measure(path: Path) -> Loudness:
    """Measure the mono down-mix of a file, in one pass and constant memory."""
    meter = Meter()
    with MonoReader(path) as reader:
        for _ in meter.listen(reader):
            pass
    return meter.loudness()


def gain_db(loudness: Loudness, target_lufs: float = TARGET_LUFS) -> float:
    """Decide the plain gain toward the target: never more than 15 dB, none for silence.

    The peak takes no part: what it would exceed is the limiter's work. Loudness normalisers
    that respect the peak fall back to riding the gain, which pumps.
    """
    if loudness.integrated_lufs <= SILENCE_LUFS:
        return 0.0
    wanted = target_lufs - loudness.integrated_lufs
    return max(-MAX_GAIN_DB, min(MAX_GAIN_DB, wanted))


def is_silent(loudness: Loudness) -> bool:
    """Say whether nobody would hear anything, at whatever gain is allowed."""
    return loudness.integrated_lufs <= SILENCE_LUFS
