"""Mono 48 kHz frames out of any accepted file, one after another, whatever its length."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.filter import Graph
from av.packet import Packet

from audio_library.assets import RATE_HZ
from audio_library.probe import open_audio

Step = tuple[str, str]
"""A filter of FFmpeg's and its arguments."""


class Chain:
    """Filters in a row, fed with frames of one format."""

    def __init__(self, like: AudioFrame, steps: tuple[Step, ...]) -> None:
        """Build the row for frames that look like ``like``."""
        self._graph = Graph()
        last = self._graph.add_abuffer(
            sample_rate=like.sample_rate,
            format=like.format.name,
            layout=like.layout.name,
            time_base=like.time_base,
        )
        for name, arguments in (*steps, ("abuffersink", "")):
            following = self._graph.add(name, arguments or None)
            last.link_to(following)
            last = following
        self._graph.configure()

    def feed(self, frame: AudioFrame | None) -> Iterator[AudioFrame]:
        """Give one frame in, or None at the end, and yield what is ready."""
        self._graph.push(frame)
        while True:
            try:
                ready = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            if isinstance(ready, AudioFrame):
                yield ready


class MonoReader:
    """Decodes a file into mono float frames and keeps count of what could not be decoded.

    Attributes:
        packets: Packets read so far.
        lost_packets: Those that did not decode.
    """

    def __init__(self, path: Path, *, left_only: bool = False) -> None:
        """Open the file; take only its first channel if ``left_only``."""
        self.packets = 0
        self.lost_packets = 0
        self._left_only = left_only
        self._container, self._stream = open_audio(path)
        self._decoded_s = 0.0
        self._first_s: float | None = None
        self._end_s = 0.0

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._container.close()

    @property
    def gap_s(self) -> float:
        """Tell how much of the time that passed by its own stamps the file did not fill.

        Pages that a damaged Ogg file has lost show here and nowhere else.
        """
        return max(0.0, self._end_s - (self._first_s or 0.0) - self._decoded_s)

    def __iter__(self) -> Iterator[AudioFrame]:
        """Yield frames of 48 kHz mono float, as long as something decodes."""
        chain: Chain | None = None
        shape: tuple[int, str, str] | None = None
        for frame in self._decoded():
            # HE-AAC changes its rate after the first frame, chained Ogg may change anything.
            if shape != (now := (frame.sample_rate, frame.format.name, frame.layout.name)):
                if chain:
                    yield from chain.feed(None)
                chain, shape = Chain(frame, _to_mono(frame, left_only=self._left_only)), now
            if chain:
                yield from chain.feed(frame)
        if chain:
            yield from chain.feed(None)

    def _decoded(self) -> Iterator[AudioFrame]:
        for packet in self._packets(self._stream):
            self.packets += packet.size > 0
            try:
                frames = self._stream.decode(packet)
            except av.FFmpegError:
                self.lost_packets += 1
                continue
            for frame in frames:
                self._watch_time(frame)
                frame.pts = None
                yield frame

    def _packets(self, stream: AudioStream) -> "Iterator[Packet[AudioStream]]":
        try:
            yield from self._container.demux(stream)
        except av.FFmpegError:
            # The container itself is broken from here on; what came before stands.
            self.packets += 1
            self.lost_packets += 1

    def _watch_time(self, frame: AudioFrame) -> None:
        length_s = frame.samples / frame.sample_rate
        self._decoded_s += length_s
        if frame.pts is None or frame.time_base is None:
            return
        at_s = float(frame.pts * frame.time_base)
        self._first_s = at_s if self._first_s is None else self._first_s
        self._end_s = at_s + length_s


def _to_mono(frame: AudioFrame, *, left_only: bool) -> tuple[Step, ...]:
    count = frame.layout.nb_channels
    share = "c0"
    if not left_only:
        share = "+".join(f"{1 / count:.6f}*c{index}" for index in range(count))
    # The weights are spelt out: left to itself, swresample's stereo to mono is 0.707*(L+R) for
    # float and 0.5*(L+R) for 16 bit, and the former is 3 dB hot and passes full scale.
    return (
        ("aformat", "sample_fmts=fltp"),
        ("pan", f"mono|c0={share}"),
        ("aresample", str(RATE_HZ)),
        ("aformat", f"sample_fmts=flt:channel_layouts=mono:sample_rates={RATE_HZ}"),
    )
