"""The microphone of the box as sound: heard soon after it was spoken, whatever its crystal does.

One thread takes sound in, the audio thread reads it. They share one tuple, replaced in one step,
so neither ever waits for the other.
"""

from typing import final

import numpy as np

from edge.player.levels import gain_of
from edge.player.output import RATE_HZ
from edge.player.reader import Audio

_RING = 2 * RATE_HZ
# So much lies between what is spoken and what is read: recorders hand over in pieces.
_STORE = 120 * RATE_HZ // 1000
# Each time it has run dry it is kept further away: a machine that was too busy once will be again.
_STORE_MORE = 60 * RATE_HZ // 1000
_STORE_MOST = 300 * RATE_HZ // 1000
# More than this beyond has piled up: the recorder was held up, or its crystal is the faster one.
_SPARE = 280 * RATE_HZ // 1000
_FADE = 5 * RATE_HZ // 1000


@final
class NearSpeech:
    """What is spoken at the box; where too little or too much is there it begins anew, softly."""

    def __init__(self, gain_db: float = 0.0) -> None:
        self._gain = np.float32(gain_of(gain_db))
        self._ring = np.zeros(_RING, dtype=np.float32)
        # Samples [low, high) of what came in are in the ring.
        self._window = (0, 0)
        # An instant, and the sample that is heard then; none before any is.
        self._anchor: tuple[float, int] | None = None
        self._read_to = 0
        self._store = _STORE

    @property
    def has_come(self) -> bool:
        """Whether the microphone has given anything."""
        return self._window[1] > 0

    def take(self, sound: Audio) -> None:
        """Take in what came next, two seconds at most."""
        low, high = self._window
        after = high + len(sound)
        # The reader must stop trusting the oldest samples before they are overwritten.
        low = max(low, after - _RING)
        self._window = (low, high)
        slot = high % _RING
        ahead = min(len(sound), _RING - slot)
        self._ring[slot : slot + ahead] = sound[:ahead] * self._gain
        self._ring[: len(sound) - ahead] = sound[ahead:] * self._gain
        self._window = (low, after)

    def add_to(self, block: Audio, begins_us: float) -> None:
        """Add what is heard from an instant on, in microseconds since 1970."""
        low, high = self._window
        first = self._place(begins_us)
        most = self._store + _SPARE
        if first is not None and low <= first and first + len(block) <= high <= first + most:
            self._read_to = first + len(block)
            block += self._read(first, len(block))
            return
        if first is not None:
            # What was heard so far ends, as far as it is there.
            there = max(0, min(_FADE, high - first, len(block)))
            fall = np.zeros(len(block), dtype=np.float32)
            fall[:there] = np.linspace(1.0, 0.0, there, dtype=np.float32)
            block += self._read(first, len(block)) * fall
            self._anchor = None
            if first + len(block) > high:
                self._store = min(_STORE_MOST, self._store + _STORE_MORE)
        anew = high - self._store
        # Nothing is heard twice.
        if anew >= max(low, self._read_to) and len(block) <= self._store:
            self._anchor, self._read_to = (begins_us, anew), anew + len(block)
            rise = np.minimum(1.0, np.arange(len(block), dtype=np.float32) / _FADE)
            block += self._read(anew, len(block)) * rise

    def _place(self, begins_us: float) -> int | None:
        if self._anchor is None:
            return None
        since_us, index = self._anchor
        return index + round((begins_us - since_us) * RATE_HZ / 1e6)

    def _read(self, first: int, count: int) -> Audio:
        """Give samples; silence where there are none."""
        low, high = self._window
        sound = np.zeros(count, dtype=np.float32)
        begin, end = max(low, first), min(high, first + count)
        if begin < end:
            slots = np.arange(begin, end) % _RING
            sound[begin - first : end - first] = self._ring[slots]
        return sound
