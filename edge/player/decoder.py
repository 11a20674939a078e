"""From a file to samples: 48 kHz mono, in step with the file's own time, whatever is damaged."""

from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from edge.player.output import RATE_HZ
from edge.player.reader import Audio

# Nothing in a file may make the node open another file or a connection.
_OPEN_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mp3,ogg,wav,flac,aac,mov,matroska,webm",
}
_RATES_HZ = range(8_000, 192_001)
_MOST_CHANNELS = 8
# Opus needs 80 ms to settle after a seek, and containers land a page early or late.
_PREROLL_S = 0.5
# Decoding from the start is exact and quick up to here; beyond, it is worth a seek.
SEEK_BEYOND_S = 5.0
# Timestamps wobble by less than a frame; a longer gap is lost sound.
_GAP = RATE_HZ // 20
_LOST_HEAD = 5 * RATE_HZ
_CHUNK = RATE_HZ

Trouble = Callable[[str], None]


def decode(path: Path, start: int, trouble: Trouble) -> Generator[Audio, None, None]:
    """Decode a file from sample ``start`` on, without holes and in chunks of at most a second.

    What cannot be decoded is named to ``trouble`` and becomes silence of the same length, where
    the file still tells its length; otherwise the samples end there.
    """
    try:
        with av.open(str(path), options=dict(_OPEN_OPTIONS)) as container:
            stream = _audio_stream(container, trouble)
            if stream is not None:
                yield from _on_grid(_frames(container, stream, start, trouble), start, trouble)
    except (av.FFmpegError, OSError) as error:
        trouble(_reason(error))


def is_playable(stream: AudioStream) -> bool:
    """Say whether a stream's rate and channels are those of sound.

    A header may claim anything; a resampler for 2 GHz would be built in good faith.
    """
    return stream.rate in _RATES_HZ and 1 <= stream.channels <= _MOST_CHANNELS


def _audio_stream(container: InputContainer, trouble: Trouble) -> AudioStream | None:
    if not container.streams.audio:
        trouble("no audio in the file")
        return None
    stream = container.streams.audio[0]
    if not is_playable(stream):
        trouble(f"{stream.channels} channels at {stream.rate} Hz cannot be played")
        return None
    return stream


def _frames(
    container: InputContainer, stream: AudioStream, start: int, trouble: Trouble
) -> Iterator[tuple[int | None, AudioFrame]]:
    """Decode packets; each frame comes with the sample index its timestamp gives it."""
    time_base = stream.time_base or Fraction(1, RATE_HZ)
    origin = _origin(container, stream, time_base)
    if start > SEEK_BEYOND_S * RATE_HZ:
        aim_s = start / RATE_HZ - _PREROLL_S + float(origin * time_base)
        container.seek(int(aim_s * 1_000_000))
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError as error:
            trouble(_reason(error))
            continue
        for frame in frames:
            if frame.pts is None:
                yield None, frame
            else:
                base = frame.time_base or time_base
                since_start = frame.pts * base - origin * time_base
                yield round(since_start * RATE_HZ), frame


def _origin(container: InputContainer, stream: AudioStream, time_base: Fraction) -> int:
    """Say which timestamp the file's own zero has."""
    first = stream.start_time or 0
    # Ogg has no field for it: FFmpeg takes the first page that it can read. A prepared file begins
    # near zero, so an early first page that is further in had another one, lost, ahead of it.
    if container.format.name == "ogg" and _GAP < first * time_base * RATE_HZ < _LOST_HEAD:
        return 0
    return first


def _on_grid(
    frames: Iterator[tuple[int | None, AudioFrame]], start: int, trouble: Trouble
) -> Iterator[Audio]:
    """Lay frames at their places, filling what is missing with silence."""
    position: int | None = None
    bringing = resampler()
    for stamped, frame in frames:
        at = (position or 0) if stamped is None else stamped
        if position is None:
            # A seek lands early: what comes before the start is decoded only to settle the codec.
            position = min(at, start)
        gap = at - max(position, start)
        if gap > _GAP or (position <= start < at):
            if gap > _GAP:
                trouble(f"{gap / RATE_HZ:.2f} s of sound are lost")
            yield from _silence(gap)
            position, bringing = at, resampler()
        for chunk in converted(bringing, frame):
            # Sound that claims to lie in the past was heard already.
            fresh = chunk[max(0, position - at) :] if at < position - _GAP else chunk
            at += len(chunk)
            yield from _from(fresh, position, start)
            position += len(fresh)
    if position is not None:
        for chunk in converted(bringing, None):
            yield from _from(chunk, position, start)
            position += len(chunk)


def _from(chunk: Audio, position: int, start: int) -> Iterator[Audio]:
    """Give the part of a chunk that lies at or after ``start``."""
    kept = chunk[max(0, start - position) :]
    if len(kept):
        yield kept


def resampler() -> AudioResampler:
    """Make what brings frames of one kind to 48 kHz, a channel at a time."""
    return AudioResampler(format="fltp", rate=RATE_HZ)


def converted(bringing: AudioResampler, frame: AudioFrame | None) -> Iterator[Audio]:
    """Bring a frame to 48 kHz mono; None flushes.

    Channels are averaged here: libswresample's own down-mix to float is 3 dB hot (FFmpeg 7).
    """
    for part in bringing.resample(frame):
        channels = part.to_ndarray()
        mono = channels[0] if len(channels) == 1 else channels.mean(axis=0)
        yield np.nan_to_num(np.clip(mono, -4.0, 4.0)).astype(np.float32, copy=False)


def _silence(count: int) -> Iterator[Audio]:
    for done in range(0, count, _CHUNK):
        yield np.zeros(min(_CHUNK, count - done), dtype=np.float32)


def _reason(error: Exception) -> str:
    """Say what is wrong without the path, which the event carries itself."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
