"""What is spoken, kept while it is spoken: on disk frame by frame, as an audio file afterwards.

A file of frames outlives the program that was killed while it wrote it; the next one finds it.
"""

import struct
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, final

import av

from audio_library.assets import Asset
from audio_library.ingest import ingest
from audio_library.store import Store
from protocol.live import MOST_FRAME_BYTES

SUFFIX = ".frames"
_HEAD = struct.Struct("<IH")
_RATE_HZ = 48_000
_FRAME = 960
# The one frame of silence that every Opus decoder knows.
_SILENCE = b"\xf8\xff\xfe"
# A torn number must not fill the disk: nobody speaks for longer than an hour.
_MOST_FRAMES = 50 * 3600


@final
class Recorder:
    """Writes down the frames of one broadcast as they come."""

    def __init__(self, folder: Path, broadcast_id: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Unbuffered: what was written is there, whatever becomes of this program.
        self._file = (folder / f"{broadcast_id}{SUFFIX}").open("wb", buffering=0)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file; it stays."""
        self._file.close()

    def add(self, number: int, frames: tuple[bytes, ...]) -> None:
        """Keep some frames, the first of them numbered ``number``."""
        parts = (_HEAD.pack(number + k, len(frame)) + frame for k, frame in enumerate(frames))
        self._file.write(b"".join(parts))


def left_behind(folder: Path) -> list[Path]:
    """List the files of frames of which no audio file was made yet."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def broadcast_of(path: Path) -> str:
    """Tell of which broadcast a file of frames is."""
    return path.name.removesuffix(SUFFIX)


def kept(path: Path, store: Store) -> Asset | None:
    """Make an audio file of frames and keep it; None when nothing was spoken.

    Raises:
        RefusedAudioError: It is too short or silent.
        PreparationError: This machine failed.
        StoreError: The disk did not take it.
    """
    frames = dict(_frames(path.read_bytes()))
    if not frames:
        return None
    # A folder of its own: what an earlier program began, and did not end, is in nobody's way.
    with store.workspace() as folder:
        whole = Path(folder) / "whole.opus"
        _write(whole, frames)
        return ingest(whole, store)


def _frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Read frames up to the first that was torn when the program was killed."""
    at = 0
    while at + _HEAD.size <= len(body):
        number, length = _HEAD.unpack_from(body, at)
        frame = body[at + _HEAD.size :][:length]
        if not 0 < len(frame) == length <= MOST_FRAME_BYTES or number >= _MOST_FRAMES:
            return
        yield number, frame
        at += _HEAD.size + length


def _write(path: Path, frames: dict[int, bytes]) -> None:
    """Write Ogg; what is missing between two frames is silence of the same length."""
    first, last = min(frames), max(frames)
    with closing(av.open(str(path), "w", format="ogg")) as container:
        stream = container.add_stream("libopus", rate=_RATE_HZ, layout="mono")
        stream.codec_context.open()
        for at, number in enumerate(range(first, last + 1)):
            packet = av.Packet(frames.get(number, _SILENCE))
            packet.stream, packet.time_base = stream, Fraction(1, _RATE_HZ)
            packet.pts = packet.dts = at * _FRAME
            packet.duration = _FRAME
            container.mux(packet)
