"""A radio station on loopback: streams as Icecast and SHOUTcast send them, and HLS."""

import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import av
import numpy as np

from tests.factories.sounds import RATE_HZ

CODECS = {"mp3": "libmp3lame", "adts": "aac", "ogg": "libopus", "mpegts": "aac", "mp4": "aac"}


def programme(path: Path, samples, *, form: str = "mp3", bit_rate: int = 96_000) -> Path:
    """Write samples as a station would send them."""
    options = {"mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof"}}.get(form, {})
    with av.open(str(path), "w", format=form, options=options) as container:
        stream = container.add_stream(CODECS[form], rate=RATE_HZ, layout="mono")
        stream.bit_rate = bit_rate
        resampler = av.AudioResampler(
            stream.codec_context.format, "mono", RATE_HZ, stream.codec_context.frame_size or 0
        )
        for begin in range(0, len(samples), 960):
            part = np.ascontiguousarray(samples[None, begin : begin + 960], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, begin
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return path


def hls_of(folder: Path, samples, *, segment_s: float = 1.0, fragmented: bool = False) -> Path:
    """Write samples as a playlist, ``live.m3u8``, with segments, all of them at once."""
    folder.mkdir(exist_ok=True)
    options = {
        "hls_time": str(segment_s),
        "hls_list_size": "0",
        "hls_segment_type": "fmp4" if fragmented else "mpegts",
    }
    playlist = folder / "live.m3u8"
    with av.open(str(playlist), "w", format="hls", options=options) as container:
        stream = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        stream.bit_rate = 96_000
        for begin in range(0, len(samples) - 1023, 1024):
            part = np.ascontiguousarray(samples[None, begin : begin + 1024], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, begin
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return folder


class Radio:
    """A station: what it sends, and how it misbehaves, is set on it.

    Attributes:
        body: What is sent on ``/live``: a burst first, then as quickly as it sounds.
        folder: What else is served, by name.
        asked: The paths that were asked for.
    """

    def __init__(self, *, body: bytes = b"", burst: int = 0, bytes_per_s: int = 12_000) -> None:
        self.body, self.burst, self.bytes_per_s = body, burst, bytes_per_s
        self.kind = "audio/mpeg"
        self.folder: Path | None = None
        self.asked: list[str] = []
        self.status_line = b"HTTP/1.0 200 OK\r\n"
        self.redirects: dict[str, str] = {}
        self.silent = threading.Event()
        self.holds_on = False
        self._over = threading.Event()
        self._began_s = time.monotonic()
        radio = self

        class Handler(BaseHTTPRequestHandler):
            timeout: ClassVar[float] = 5

            def do_GET(self) -> None:
                radio.asked.append(self.path)
                with suppress(OSError):
                    radio.answer(self)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def url(self, path: str = "/live") -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    @property
    def port(self) -> int:
        return self._server.server_port

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if request.path in self.redirects:
            request.send_response(302)
            request.send_header("Location", self.redirects[request.path])
            request.send_header("Content-Length", "0")
            request.end_headers()
        elif request.path == "/live":
            request.wfile.write(self.status_line + f"Content-Type: {self.kind}\r\n\r\n".encode())
            self._stream(request)
        elif self.folder and (self.folder / request.path[1:]).is_file():
            body = (self.folder / request.path[1:]).read_bytes()
            request.send_response(200)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        else:
            request.send_error(404)

    def live_s(self) -> float:
        """The place in its programme that the station sends now."""
        return time.monotonic() - self._began_s

    def send_at_once(self, body: bytes) -> None:
        """Send all of this to everybody, from its beginning, as quickly as it is taken."""
        self.body, self.bytes_per_s, self.burst = body, 10_000_000, 10**12

    def go_to(self, place_s: float, *, burst_s: float = 0.0) -> None:
        """Be at a place of the programme now, and send so much from before it."""
        self._began_s = time.monotonic() - place_s
        self.burst = int(burst_s * self.bytes_per_s)

    def _stream(self, request: BaseHTTPRequestHandler) -> None:
        """Send from where the programme is, as a station does, the burst from before it."""
        at = max(0, int(self.live_s() * self.bytes_per_s) - self.burst)
        if self.body.startswith(b"OggS"):
            # Each listener gets the headers first, then whole pages.
            request.wfile.write(self.body[: self._page(2)])
            at = max(self._page(2), self.body.find(b"OggS", at))
        while not self._over.is_set() and (at < len(self.body) or self.holds_on):
            due = int(self.live_s() * self.bytes_per_s)
            if due > at and at < len(self.body) and not self.silent.is_set():
                request.wfile.write(self.body[at:due])
                at = due
            self._over.wait(0.05)

    def _page(self, number: int) -> int:
        at = 0
        for _ in range(number):
            at = self.body.index(b"OggS", at + 4)
        return at

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
