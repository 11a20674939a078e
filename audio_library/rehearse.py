"""Parts of files one after another, with silence between, as one Ogg/Opus stream.

Runs as a process of its own (``python -m audio_library.rehearse``): the list of parts comes in on
stdin, the stream goes out on stdout as fast as it is read, and it ends when nobody reads any more.
"""

import os
import resource
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import msgspec
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from audio_library.assets import RATE_HZ
from audio_library.errors import RefusedAudioError
from audio_library.parts import Part, Wanted
from audio_library.probe import open_audio

_MEMORY_BYTES = 1_000_000_000
_CPU_S = 1800
_NICER = 10
_BIT_RATE = 32_000
_FRAME = 960
_BLOCK = RATE_HZ
_SEEK_BEYOND_S = 5.0
_PREROLL_S = 0.5  # Opus needs 80 ms to settle after a seek, and a seek lands a page early or late

Audio = NDArray[np.float32]


def samples(wanted: Wanted) -> Iterator[Audio]:
    """Yield the whole stream in blocks of a second at most; what cannot be read is silence."""
    at = 0
    whole = round(wanted.length_s * RATE_HZ)
    for part in wanted.parts:
        start = min(whole, round(part.at_s * RATE_HZ))
        yield from _silence(start - at)
        end = min(whole, start + round(part.length_s * RATE_HZ))
        at = max(at, start)
        for block in _of_part(part):
            fresh = block[: end - at]
            if not len(fresh):
                break
            yield fresh
            at += len(fresh)
        yield from _silence(end - at)
        at = max(at, end)
    yield from _silence(whole - at)


def write(wanted: Wanted, out: BinaryIO) -> None:
    """Write the stream, as fast as it is read."""
    # Ogg is written without ever going back.
    with av.open(out, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="mono")
        stream.bit_rate = _BIT_RATE
        at = 0
        for block in _even(samples(wanted)):
            frame = AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, at
            at += len(block)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _of_part(part: Part) -> Iterator[Audio]:
    gain = np.float32(10 ** (part.gain_db / 20))
    at = round(part.from_s * RATE_HZ)
    try:
        for position, block in _decoded(Path(part.path), at):
            # What a damaged file has lost is heard as silence, so that the rest is in its place.
            yield from _silence(position - at)
            at = max(at, position)
            fresh = block[at - position :]
            if len(fresh):
                yield fresh * gain
                at += len(fresh)
    except (RefusedAudioError, av.FFmpegError, OSError) as error:
        # A file that went missing is heard as silence; the page names what should be heard.
        print(f"{Path(part.path).name}: {error}", file=sys.stderr)  # noqa: T201 - the parent's log


def _decoded(path: Path, first: int) -> Iterator[tuple[int, Audio]]:
    """Decode a prepared file from somewhere before sample ``first`` on; blocks know their place."""
    container, stream = open_audio(path)
    with container:
        base = stream.time_base or Fraction(1, RATE_HZ)
        origin = stream.start_time or 0
        if first > _SEEK_BEYOND_S * RATE_HZ:
            aim_s = first / RATE_HZ - _PREROLL_S + float(origin * base)
            container.seek(int(aim_s * av.time_base))
        resampler = AudioResampler("flt", "mono", RATE_HZ)
        at: int | None = None
        for frame in container.decode(stream):
            if frame.pts is not None:
                at = round((frame.pts * (frame.time_base or base) - origin * base) * RATE_HZ)
            frame.pts = None
            for ready in resampler.resample(frame):
                block = ready.to_ndarray()[0]
                yield at or 0, block
                at = (at or 0) + len(block)


def _silence(count: int) -> Iterator[Audio]:
    while count > 0:
        yield np.zeros(min(count, _BLOCK), dtype=np.float32)
        count -= _BLOCK


def _even(blocks: Iterable[Audio]) -> Iterator[Audio]:
    """Cut into the encoder's frames; the last one is filled up with silence."""
    rest = np.zeros(0, dtype=np.float32)
    for block in blocks:
        rest = np.concatenate((rest, block)) if len(rest) else block
        whole = len(rest) // _FRAME * _FRAME
        for first in range(0, whole, _FRAME):
            yield rest[first : first + _FRAME]
        rest = rest[whole:]
    if len(rest):
        yield np.concatenate((rest, np.zeros(_FRAME - len(rest), dtype=np.float32)))


def main() -> None:
    """Read what is wanted, and write it until the end or until nobody reads."""
    os.nice(_NICER)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted)
    try:
        write(wanted, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Nobody listens any more; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
