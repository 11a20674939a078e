"""The way of browsers that cannot give Opus frames: a WebM stream, decoded and encoded anew."""

import queue
import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import final

import av
import structlog
from av.audio.frame import AudioFrame

from server.live.capture import Captured
from server.live.opus import FRAME_SAMPLES, RATE_HZ, new_encoder

# Nothing in the stream may make this program open anything else.
_OPTIONS = {
    "protocol_whitelist": "none",
    "format_whitelist": "matroska,webm",
    "fflags": "nobuffer",
    "probesize": "256",
    "analyzeduration": "0",
}
_BUFFER_BYTES = 256
# Half a minute of what browsers send; what is more is lost, and the stream is torn then.
_MOST_WAITING = 500
_LOOK_S = 0.5

log = structlog.get_logger(__name__)


@final
class WebmReader:
    """Takes parts of one stream, and gives the frames that have become whole since.

    The demultiplexer blocks until it has enough, so it has a thread of its own.
    """

    def __init__(self) -> None:
        self._pipe = _Pipe()
        self._ready: queue.SimpleQueue[Captured] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def take(self, part: bytes) -> list[Captured]:
        """Take the next part, and give what is ready; what cannot be decoded gives nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webm", daemon=True)
            self._thread.start()
        self._pipe.put(part)
        found = []
        while not self._ready.empty():
            found.append(self._ready.get())
        return found

    def close(self) -> None:
        """Let the thread end."""
        self._pipe.over.set()
        if self._thread is not None:
            self._thread.join(2 * _LOOK_S)

    def _run(self) -> None:
        try:
            for captured in _captured(self._pipe):
                self._ready.put(captured)
        except (av.FFmpegError, ValueError, IndexError) as error:
            # Nothing comes any more: the microphone counts as lost, and is told so.
            log.info("webm_unreadable", error=str(error))


@final
class _Pipe:
    """What FFmpeg reads the stream from: a file that can only be read on."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self._parts: queue.Queue[bytes] = queue.Queue(_MOST_WAITING)
        self._left = b""

    def put(self, part: bytes) -> None:
        """Put the next part in, as long as there is room."""
        if not self._parts.full():
            self._parts.put(part)

    def read(self, size: int) -> bytes:
        """Give at most so many bytes, and none at the end."""
        while not self._left:
            if self.over.is_set():
                return b""
            try:
                self._left = self._parts.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
        given, self._left = self._left[:size], self._left[size:]
        return given


def _captured(pipe: _Pipe) -> Iterator[Captured]:
    encoder, at = new_encoder(), 0
    for frame in _sound(pipe):
        frame.pts, frame.time_base = at, Fraction(1, RATE_HZ)
        at += frame.samples
        for packet in encoder.encode(frame):
            # The encoder's first packets say a time before the first sample.
            media_s = max(0, packet.pts or 0) / RATE_HZ
            yield Captured(media_s, (bytes(packet),))


def _sound(pipe: _Pipe) -> Iterator[AudioFrame]:
    resampler = av.AudioResampler(
        format="s16", layout="mono", rate=RATE_HZ, frame_size=FRAME_SAMPLES
    )
    with av.open(
        pipe, "r", format="matroska", options=dict(_OPTIONS), buffer_size=_BUFFER_BYTES
    ) as container:
        for packet in container.demux(container.streams.audio[0]):
            for frame in packet.decode():
                yield from resampler.resample(frame)
