"""What a station has sent and nobody has heard yet: bounded, and held level for hours.

One thread takes sound in, the audio thread reads it. They share one tuple, replaced in one step,
so neither ever waits for the other.
"""

from typing import final

import numpy as np

from edge.player.levels import FADE
from edge.player.output import RATE_HZ
from edge.player.reader import Audio, read_at

# A station's first burst and two segments of HLS fit in; 3.8 MB.
_RING = 20 * RATE_HZ
# So much must be there before it is heard, or heard again.
_PREROLL = 3 * RATE_HZ // 2
# What is left in store when a network pauses longest should be this much.
_STORE = 3 * RATE_HZ
# Its clock is followed by what is left in store: by the least of ten seconds, within minutes.
_WATCH = 10 * RATE_HZ
_PULL_S = 120.0
# 1000 ppm is 1.7 cent: nobody hears it, and no station's clock is off by as much.
_PULL_MOST = 1e-3
_STEP = 4096
_CURVE = 4


@final
class Intake:
    """Sound by position: what came in is read in order, without a hole while there is enough."""

    def __init__(self) -> None:
        self._ring = np.zeros(_RING, dtype=np.float32)
        # Samples [low, high) of the sound are in the ring.
        self._window = (0, 0)
        # The next position that will be read; none before it has begun to be.
        self._reader: int | None = None
        # What has come in and has no place yet.
        self._waiting: list[Audio] | None = []
        self._pace = 1.0
        self._rest = np.zeros(_CURVE, dtype=np.float32)
        self._phase = float(_CURVE)
        self._least: int | None = None
        self._watched = 0

    @property
    def pace(self) -> float:
        """How much faster than it came in the sound is heard, so that the store stays level."""
        return self._pace

    def store(self) -> int:
        """Tell how many samples are there that were not read yet."""
        return self._window[1] - max(self._window[0], self._reader or 0)

    def is_full(self) -> bool:
        """Say whether no more should be taken in for now."""
        return self.store() > _RING - 2 * RATE_HZ

    def ready(self, first: int, last: int) -> bool:
        """Tell whether reading ``[first, last)`` would give all of it, at its full loudness."""
        self._note_reader(first)
        low, high = self._window
        return low <= max(0, first) and last + FADE <= high

    def add_to(self, block: Audio, first: int) -> None:
        """Add what is there from position ``first`` on, fading where it will break off."""
        self._note_reader(first + len(block))
        low, high = self._window
        begin, end = max(low, first), min(high, first + len(block))
        if begin >= end:
            return
        sound = np.empty(end - begin, dtype=np.float32)
        ahead = min(len(sound), _RING - begin % _RING)
        sound[:ahead] = self._ring[begin % _RING :][:ahead]
        sound[ahead:] = self._ring[: len(sound) - ahead]
        if high - end < FADE:
            fall = (high - np.arange(begin, end, dtype=np.float64)) / FADE
            sound *= np.minimum(1.0, fall).astype(np.float32)
        block[begin - first : end - first] += sound

    def take(self, chunk: Audio) -> None:
        """Take in what came next."""
        if self._waiting is None and self._has_run_dry():
            self._waiting = []
        if self._waiting is not None:
            self._waiting.append(chunk)
            self._begin_if_enough()
            return
        self._watch(len(chunk))
        for start in range(0, len(chunk), _STEP):
            self._append(self._stretched(chunk[start : start + _STEP]))

    def _note_reader(self, first: int) -> None:
        if first >= 0:
            self._reader = first

    def _has_run_dry(self) -> bool:
        return self._reader is not None and self._reader + FADE >= self._window[1]

    def _begin_if_enough(self) -> None:
        waiting = self._waiting or []
        if sum(map(len, waiting)) < _PREROLL:
            return
        sound = np.concatenate(waiting)[-(_RING - 2 * RATE_HZ) :]
        sound[:FADE] *= np.linspace(0.0, 1.0, FADE, dtype=np.float32)
        # The reader goes on while this is written.
        begin = 0 if self._reader is None else self._reader + RATE_HZ // 10
        self._window = (begin, begin)
        self._append(sound)
        self._waiting, self._least, self._watched = None, None, 0
        self._rest, self._phase = sound[-_CURVE:].copy(), float(_CURVE)

    def _append(self, sound: Audio) -> None:
        low, high = self._window
        after = high + len(sound)
        # The reader must stop trusting the oldest samples before they are overwritten.
        low = max(low, after - _RING)
        self._window = (low, high)
        ahead = min(len(sound), _RING - high % _RING)
        self._ring[high % _RING :][:ahead] = sound[:ahead]
        self._ring[: len(sound) - ahead] = sound[ahead:]
        self._window = (low, after)

    def _watch(self, count: int) -> None:
        """Find the pace at which what is left in store neither grows nor shrinks."""
        if self._reader is None:
            return
        store = self.store()
        self._least = store if self._least is None else min(self._least, store)
        self._watched += count
        if self._watched >= _WATCH:
            pull = (self._least - _STORE) / (RATE_HZ * _PULL_S)
            self._pace = 1.0 + max(-_PULL_MOST, min(_PULL_MOST, pull))
            self._least, self._watched = None, 0

    def _stretched(self, chunk: Audio) -> Audio:
        """Read a chunk at the pace, going on smoothly from the one before."""
        source = np.concatenate((self._rest, chunk))
        # The curve between samples looks one back and two ahead.
        count = int((len(source) - 3 - self._phase) / self._pace)
        count = max(0, count)
        sound = read_at(_Samples(source), self._phase, count, self._pace) if count else source[:0]
        self._phase += count * self._pace - (len(source) - _CURVE)
        self._rest = source[-_CURVE:]
        return sound


@final
class _Samples:
    """An array that can be read anywhere."""

    def __init__(self, samples: Audio) -> None:
        self._samples = samples

    def read(self, start: int, count: int) -> Audio:
        """Give samples; ``start`` and the end lie within a few samples of the array."""
        at = np.clip(np.arange(start, start + count), 0, len(self._samples) - 1)
        return self._samples[at]
