"""What an asset sounds like, sample by sample: for recordings to be compared with, and edits."""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from audio_library.assets import RATE_HZ
from audio_library.frames import Chain, MonoReader

Samples = NDArray[np.float32]
"""Mono at 48 kHz, full scale at 1.0."""

_SAMPLE_BYTES = 2


def read_samples(path: Path) -> Samples:
    """Decode a whole file into memory: 11 MB a minute."""
    with MonoReader(path) as reader:
        parts = [frame.to_ndarray()[0] for frame in reader]
    if not parts:
        return np.zeros(0, dtype=np.float32)
    return np.concatenate(parts).astype(np.float32, copy=False)


def decode_to_wav(source: Path, wav: Path) -> int:
    """Write what a file sounds like as 16-bit mono WAV at 48 kHz; return the frames written."""
    frames = 0
    with open_wav(wav) as out:
        for block in pcm16(source):
            frames += len(block) // _SAMPLE_BYTES
            out.writeframesraw(block)
    return frames


def pcm16(path: Path) -> Iterator[bytes]:
    """Decode a file into blocks of 16-bit mono samples at 48 kHz, in constant memory."""
    chain: Chain | None = None
    with MonoReader(path) as reader:
        for frame in reader:
            chain = chain or Chain(frame, (("aformat", "sample_fmts=s16"),))
            yield from map(_bytes_of, chain.feed(frame))
    if chain:
        yield from map(_bytes_of, chain.feed(None))


def write_wav(wav: Path, samples: Samples) -> None:
    """Write samples as 16-bit mono WAV at 48 kHz; what passes full scale is cut."""
    whole = np.clip(np.rint(samples * 32767.0), -32768, 32767).astype("<i2")
    with open_wav(wav) as out:
        out.writeframes(whole.tobytes())


def open_wav(wav: Path) -> wave.Wave_write:
    """Open a 16-bit mono 48 kHz WAV for writing; the caller closes it."""
    out = wave.open(str(wav), "wb")  # noqa: SIM115 - handed to the caller, who closes it
    out.setnchannels(1)
    out.setsampwidth(_SAMPLE_BYTES)
    out.setframerate(RATE_HZ)
    return out


def _bytes_of(frame: AudioFrame) -> bytes:
    # A plane is padded to a multiple of 32 bytes.
    return bytes(frame.planes[0])[: frame.samples * _SAMPLE_BYTES]
