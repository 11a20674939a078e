"""Levelled frames into the file that nodes cache: Ogg/Opus with short pages."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
from av.audio.frame import AudioFrame

from audio_library.assets import RATE_HZ
from audio_library.frames import Chain, Step
from audio_library.loudness import CEILING_DBTP

_BIT_RATE = 48_000
_OPUS_FRAME = 960
# A damaged byte costs its page: of 90 s with 12 flipped bytes, FFmpeg's 1 s pages lost 12 s,
# pages of 100 ms lost 1.2 s.
_PAGE_US = 100_000
_OVERSAMPLED_HZ = 4 * RATE_HZ


def encode(frames: Iterable[AudioFrame], out: Path, *, gain_db: float) -> None:
    """Apply gain and limiter, and write Ogg/Opus whose bytes depend on the sound alone."""
    container = av.open(
        str(out),
        "w",
        format="ogg",
        # Without "bitexact" the stream's serial number is random, and so the digest.
        options={"page_duration": str(_PAGE_US), "fflags": "+bitexact"},
    )
    with container:
        stream = container.add_stream(
            "libopus",
            rate=RATE_HZ,
            layout="mono",
            options={"application": "audio", "frame_duration": "20", "vbr": "on"},
        )
        stream.bit_rate = _BIT_RATE
        at = 0
        for levelled in _levelled(frames, gain_db):
            # Unstamped, the file would begin at the encoder's look-ahead, 6.5 ms, and not at zero.
            levelled.pts, at = at, at + levelled.samples
            container.mux(stream.encode(levelled))
        container.mux(stream.encode(None))


def _levelled(frames: Iterable[AudioFrame], gain_db: float) -> Iterator[AudioFrame]:
    chain: Chain | None = None
    for frame in frames:
        chain = chain or Chain(frame, _levelling(gain_db))
        yield from chain.feed(frame)
    if chain:
        yield from chain.feed(None)


def _levelling(gain_db: float) -> tuple[Step, ...]:
    ceiling = 10 ** (CEILING_DBTP / 20)
    # Peaks between samples are real peaks to an amplifier: limit where they can be seen.
    return (
        ("volume", f"volume={gain_db:.3f}dB:precision=float"),
        ("aresample", str(_OVERSAMPLED_HZ)),
        ("alimiter", f"limit={ceiling:.6f}:level=0:attack=5:release=50:latency=1"),
        ("aresample", str(RATE_HZ)),
        ("aformat", f"sample_fmts=flt:channel_layouts=mono:sample_rates={RATE_HZ}"),
        ("asetnsamples", f"n={_OPUS_FRAME}:p=0"),
    )
