"""Sound to play in tests, and ways to hear what a recording output kept."""

import json
import wave
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np

RATE_HZ = 48_000


def noise(seconds, *, seed=1, level=0.1):
    """Noise: the one material whose place is unmistakable."""
    count = round(seconds * RATE_HZ)
    return (np.random.default_rng(seed).standard_normal(count) * level).astype(np.float32)


def tone(seconds, *, hertz=440.0, level=0.5):
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


def encode(path: Path, samples, *, codec="libopus", rate_hz=RATE_HZ, first_stamp=0) -> Path:
    """Write mono or (2, n) stereo samples as the path's suffix and the codec say."""
    channels = np.atleast_2d(samples)
    layout = "mono" if len(channels) == 1 else "stereo"
    form = "ogg" if path.suffix == ".opus" else None
    pages = {"page_duration": "100000"} if form else {}
    with av.open(str(path), "w", format=form, options=pages) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        resampler = av.AudioResampler(stream.codec_context.format, layout, rate_hz)
        for begin in range(0, channels.shape[1], 960):
            part = np.ascontiguousarray(channels[:, begin : begin + 960], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = RATE_HZ, begin + first_stamp
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return path


@dataclass(frozen=True)
class Heard:
    """What a recording output kept."""

    start_s: float
    samples: np.ndarray

    def between(self, begin: datetime | float, seconds: float):
        """The samples of a stretch of wall time."""
        begin_s = begin.timestamp() if isinstance(begin, datetime) else begin
        first = round((begin_s - self.start_s) * RATE_HZ)
        return self.samples[max(0, first) : first + round(seconds * RATE_HZ)]


def heard(path: Path) -> Heard:
    about = json.loads(path.with_suffix(".json").read_text())
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32_767
    assert about["sample_rate"] == RATE_HZ
    return Heard(datetime.fromisoformat(about["start"]).timestamp(), samples)


def lag_s(source, sounded) -> float:
    """Where in the source a stretch of what sounded lies, to a fraction of a sample.

    Below zero: the stretch begins before the source does.
    """
    size = 1 << (len(source) + len(sounded)).bit_length()
    match = np.fft.irfft(np.fft.rfft(source, size) * np.conj(np.fft.rfft(sounded, size)), size)
    best = int(np.argmax(match))
    if best >= len(source):
        best -= size
    before, peak, after = match[best - 1], match[best], match[best + 1]
    return (best + 0.5 * (before - after) / (before - 2 * peak + after)) / RATE_HZ


def rms(samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


def now() -> datetime:
    return datetime.now(UTC)
