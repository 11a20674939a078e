"""From a station's address to samples: 48 kHz mono, for as long as they come and are wanted."""

import threading
import time
from collections.abc import Generator, Iterator
from typing import final

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer

from edge.errors import Stall, StationError
from edge.player import hls
from edge.player.decoder import converted, is_playable, resampler
from edge.player.reader import Audio
from edge.player.web import Web

# Nothing in a stream may make the node open anything else.
_OPEN_OPTIONS = {
    "protocol_whitelist": "none",
    "format_whitelist": "mp3,aac,ogg,mpegts,mov,flac",
    "analyzeduration": "500000",
}
# What is looked at to find out what it is: of a stream this costs the time in which it comes.
_LOOK_BYTES = 16 * 1024
_LOOK_HLS_BYTES = 256 * 1024
# In the middle of an MP3 stream FFmpeg would look for seconds to find out what it is.
_FORMATS = {"audio/mpeg": "mp3", "audio/mp3": "mp3"}
_PIPE_BYTES = 4096
_PATIENCE_S = 15.0


@final
class Receiver:
    """Receives stations: MP3, AAC, Ogg and FLAC streams, and HLS of AAC in TS, ADTS or fMP4."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def __call__(self, url: str, over: threading.Event) -> Iterator[Audio]:
        """Give a station's sound in chunks, from now until it ends or ``over`` is set.

        Raises:
            StationError: It cannot be had, cannot be played, or breaks off.
        """
        pipe = self._opened(url, over)
        stall = Stall.NOT_AUDIO
        try:
            with _container(pipe) as container:
                streams = container.streams.audio
                if not streams or not is_playable(streams[0]):
                    raise StationError(Stall.NOT_AUDIO, "no audio in it")
                for chunk in _sound(_frames(container, over)):
                    stall = Stall.LOST
                    yield chunk
        except (av.FFmpegError, OSError, ValueError) as error:
            raise StationError(stall, str(error)) from error
        finally:
            pipe.close()

    def _opened(self, url: str, over: threading.Event) -> "_Pipe":
        kind, chunks = self._web.opened(url, over)
        head = next(chunks, b"")
        if not head.lstrip(b"\xef\xbb\xbf").startswith(hls.HEAD):
            return _Pipe(head, chunks, _FORMATS.get(kind), _LOOK_BYTES)
        text = bytearray(head)
        for chunk in chunks:
            text += chunk
            if len(text) > hls.PLAYLIST_BYTES:
                chunks.close()
                raise StationError(Stall.NOT_AUDIO, "an endless playlist")
        parts = hls.segments(url, hls.text_of(text), self._web, over)
        return _Pipe(b"", parts, None, _LOOK_HLS_BYTES)


def _container(pipe: "_Pipe") -> InputContainer:
    options = {**_OPEN_OPTIONS, "probesize": str(pipe.look_bytes)}
    return av.open(pipe, "r", format=pipe.format, options=options, buffer_size=_PIPE_BYTES)


def _frames(container: InputContainer, over: threading.Event) -> Iterator[AudioFrame]:
    """Decode what comes; what is damaged is left out, unless nothing else comes."""
    sounded_at_s = time.monotonic()
    for packet in container.demux(container.streams.audio[0]):
        if over.is_set():
            return
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            frames = []
        for frame in frames:
            yield frame
            # The one who takes it may have been in no hurry.
            sounded_at_s = time.monotonic()
        if time.monotonic() - sounded_at_s > _PATIENCE_S:
            raise StationError(Stall.NOT_AUDIO, "nothing of it decodes")


def _sound(frames: Iterator[AudioFrame]) -> Iterator[Audio]:
    shape: tuple[str, str, int] | None = None
    bringing = resampler()
    for frame in frames:
        now = frame.format.name, frame.layout.name, frame.sample_rate
        if now != shape:
            # A station may change over to a programme of another kind in the middle.
            shape, bringing = now, resampler()
        yield from converted(bringing, frame)


@final
class _Pipe:
    """What FFmpeg reads a stream from: a file that can only be read on.

    Attributes:
        format: What it is said to be, as FFmpeg names it.
        look_bytes: How much of it tells what it is.
    """

    def __init__(
        self,
        head: bytes,
        chunks: Generator[bytes, None, None],
        name: str | None,
        look_bytes: int,
    ) -> None:
        self._chunks = chunks
        self._left = head
        self.format, self.look_bytes = name, look_bytes

    def read(self, size: int) -> bytes:
        """Give at most so many bytes, and none at the end."""
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._left = chunk
        given, self._left = self._left[:size], self._left[size:]
        return given

    def close(self) -> None:
        """Let the connection go."""
        self._chunks.close()
