"""One file of a sound, decoded ahead of where it is heard.

A track belongs to two threads: the decoding thread fills its ring, the audio thread reads it.
They share one tuple, replaced in one step, so neither ever waits for the other.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import final

import numpy as np

from edge.player import Piece
from edge.player.decoder import SEEK_BEYOND_S, Trouble, decode
from edge.player.output import RATE_HZ
from edge.player.reader import Audio

# A piece no longer than this lies in memory whole (5.8 MB), a longer one passes through a ring.
_WHOLE = 30 * RATE_HZ
_RING = 12 * RATE_HZ
# Decoded this far ahead of what is heard; and a piece is opened this long before it is due.
AHEAD = 6 * RATE_HZ
# Decoded in one go: short enough for another piece to get its turn.
_QUANTUM = RATE_HZ // 2
# Encoders pad and trim; a file may be this much shorter than its manifest says.
_SHORT_FORGIVEN = RATE_HZ // 4

# The curve between samples also looks at the ones before.
_CURVE = 16
_NOTHING = (0, 0)

# Path, first sample wanted, and whom to tell of trouble -> all samples from there on.
Decoder = Callable[[Path, int, Trouble], Generator[Audio, None, None]]


@final
class Track:
    """One piece, decoded around the place where it is being read."""

    def __init__(
        self, piece: Piece, trouble: Callable[[Path, str], None], decoder: Decoder = decode
    ) -> None:
        self.piece = piece
        self._decoder = decoder
        self.start = round(piece.offset_s * RATE_HZ)
        self.length = round(piece.duration_s * RATE_HZ)
        self._trouble = trouble
        self._troubled = False
        self._ring: Audio | None = None
        self._chunks: Generator[Audio, None, None] | None = None
        # Samples [low, high) of the piece are in the ring.
        self._window = _NOTHING
        # The file has no more samples from here on.
        self._exhausted_at: int | None = None

    @property
    def end(self) -> int:
        """First position of the sound after this piece."""
        return self.start + self.length

    def ready(self, first: int, last: int) -> bool:
        """Tell whether reading positions ``[first, last)`` would give all there is to give."""
        first, last = max(0, first - self.start), min(self.length, last - self.start)
        low, high = self._window
        over = self._exhausted_at is not None and last > self._exhausted_at
        return first >= last or (low <= first and (last <= high or over))

    def add_to(self, block: Audio, first: int) -> None:
        """Add what is decoded of this piece to a block beginning at a position of the sound."""
        ring, (low, high) = self._ring, self._window
        begin = max(low, first - self.start)
        end = min(high, first - self.start + len(block))
        if ring is None:
            return
        while begin < end:
            slot = begin % len(ring)
            count = min(end - begin, len(ring) - slot)
            into = begin + self.start - first
            block[into : into + count] += ring[slot : slot + count]
            begin += count

    @property
    def failed(self) -> bool:
        """Whether the file ended too early to be worth keeping, should it be wanted again."""
        over = self._exhausted_at
        return over is not None and over < self.length - _SHORT_FORGIVEN

    def margin(self, position: int) -> int | None:
        """Say how many samples a reader at a position has left; None when nothing is to be done."""
        wanted = position - self.start
        if not self.length or wanted < -AHEAD or wanted >= self.length:
            return None
        if self._exhausted_at is not None and max(0, wanted) >= self._exhausted_at:
            return None
        if self._chunks is None and self._window == _NOTHING:
            return max(0, -wanted)
        low, high = self._window
        if not low <= max(0, wanted) <= high + AHEAD:
            return 0
        enough = self.length if self._is_whole() else min(self.length, wanted + AHEAD)
        if high >= enough or self._exhausted_at is not None:
            return None
        return high - wanted

    def spent(self, position: int) -> bool:
        """Tell whether a reader has passed this piece for good, or is far before it."""
        return position >= self.end + RATE_HZ or position < self.start - 2 * AHEAD

    def advance(self, position: int) -> None:
        """Decode half a second more towards what a reader at a position will want."""
        wanted = max(0, position - self.start)
        low, high = self._window
        if self._chunks is None or not low <= wanted <= high + AHEAD:
            self._restart(wanted)
        enough = self._window[1] + _QUANTUM
        while self._chunks is not None and self._window[1] < enough:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._finish()
            else:
                self._store(chunk)

    def release(self) -> None:
        """Give file and memory back; reading gives silence until the track is advanced again."""
        self._window = _NOTHING
        self._exhausted_at = None
        self._ring = None
        self._stop_decoding()

    def _is_whole(self) -> bool:
        return self.length <= _WHOLE

    def _restart(self, wanted: int) -> None:
        self._stop_decoding()
        begin = wanted - _CURVE if wanted > SEEK_BEYOND_S * RATE_HZ else 0
        self._window = (begin, begin)
        self._exhausted_at = None
        self._chunks = self._decoder(self.piece.path, begin, self._report)
        if self._ring is None:
            size = self.length if self._is_whole() else _RING
            self._ring = np.zeros(size, dtype=np.float32)

    def _store(self, chunk: Audio) -> None:
        ring = self._ring
        if ring is None:
            return
        low, high = self._window
        chunk = chunk[: self.length - high]
        after = high + len(chunk)
        # The reader must stop trusting the oldest samples before they are overwritten.
        low = max(low, after - len(ring))
        self._window = (low, high)
        slot = high % len(ring)
        first = chunk[: len(ring) - slot]
        ring[slot : slot + len(first)] = first
        ring[: len(chunk) - len(first)] = chunk[len(first) :]
        self._window = (low, after)
        if after >= self.length:
            self._stop_decoding()

    def _finish(self) -> None:
        """The file gave all it has: was that enough?"""
        high = self._window[1]
        self._exhausted_at = high
        self._stop_decoding()
        if high < self.length - _SHORT_FORGIVEN:
            missing_s = (self.length - high) / RATE_HZ
            self._report(f"the last {missing_s:.2f} s are missing")

    def _stop_decoding(self) -> None:
        if self._chunks is not None:
            self._chunks.close()
            self._chunks = None

    def _report(self, reason: str) -> None:
        """Name the first trouble; a bad file has hundreds and one line is enough."""
        if not self._troubled:
            self._troubled = True
            self._trouble(self.piece.path, reason)
