"""A simulated card that keeps what would be heard, each sample at its wall-clock position."""

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import final

import numpy as np

from edge.player.output import RATE_HZ, Samples
from edge.player.simulated import SimulatedOutput
from edge.player.wavefile import MOST_SAMPLES, WaveFile

_NO_SAMPLES = np.zeros(0, dtype=np.int16)
_REFRESH_S = 0.5
# A wall clock that strays this far from the card's idea of it was stepped, or slewed for long.
_STRAY_S = 0.0005
# Two readings further apart than this had another program between them and prove nothing.
_BRACKET_S = 0.0002


@final
class RecordingOutput:
    """Write what a loudspeaker would have sounded into a WAV file, on the wall clock's grid.

    A card whose crystal is off sounds its samples closer or wider than the grid; the file holds
    what a listener with a true clock would have recorded.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        crystal_ppm: float = 0.0,
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._offset_s = clock() - monotonic()
        self._card = SimulatedOutput(crystal_ppm=crystal_ppm, monotonic=monotonic)
        self._step = RATE_HZ / self._card.true_rate_hz
        # Serialises close() with a write that is under way in the audio thread.
        self._lock = threading.Lock()
        self._file = WaveFile(path, now_s=clock())
        self._next_index = math.inf
        self._next_position = 0
        self._last_sample = 0
        self._refreshed_s = -math.inf

    def write(self, block: Samples) -> None:
        """Put the block where it will be heard, then wait as a card would."""
        with self._lock:
            self._card.delay_s()  # refuses when closed, before the file is touched
            position = self._card.position_now()
            self._follow_wall_clock()
            self._place(block, position, self._card.sounds_at_s(position) + self._offset_s)
        self._card.write(block)

    @property
    def underruns(self) -> int:
        """Count how often a block came too late."""
        return self._card.underruns

    def delay_s(self) -> float:
        """Tell in how many seconds the next sample written would sound."""
        return self._card.delay_s()

    def rest(self, wake: threading.Event, at_most_s: float) -> int:
        """Sleep until woken, then let the file reach as far as the silence did."""
        rested = self._card.rest(wake, at_most_s)
        with self._lock:
            self._card.delay_s()  # refuses when closed, before the file is touched
            self._follow_wall_clock()
            position = self._card.position_now()
            self._place(_NO_SAMPLES, position, self._card.sounds_at_s(position) + self._offset_s)
        return rested

    def close(self) -> None:
        """Stop the card and finish the file."""
        self._card.close()
        with self._lock:
            self._file.close()

    def _follow_wall_clock(self) -> None:
        """Notice when the wall clock was set, without taking scheduling noise for it."""
        before_s = self._monotonic()
        wall_s = self._clock()
        after_s = self._monotonic()
        offset_s = wall_s - (before_s + after_s) / 2
        if after_s - before_s < _BRACKET_S and abs(offset_s - self._offset_s) > _STRAY_S:
            self._offset_s = offset_s

    def _place(self, block: Samples, position: int, heard_s: float) -> None:
        """Write a block whose first sample sounds at ``heard_s``."""
        index = (heard_s - self._file.start_s) * RATE_HZ
        if not 0 <= index < MOST_SAMPLES:
            # The clock was stepped out of the file, or the file is full.
            self._file.close()
            self._file = WaveFile(self._file.path, now_s=heard_s)
            index = 0.0
        if position != self._next_position or abs(index - self._next_index) > 1:
            self._next_index = float(round(index))
            self._last_sample = 0
        self._write_on_grid(block)
        self._next_position = position + len(block)
        if heard_s - self._refreshed_s >= _REFRESH_S or heard_s < self._refreshed_s:
            self._file.refresh()
            self._refreshed_s = heard_s

    def _write_on_grid(self, block: Samples) -> None:
        """Write from ``_next_index`` on, stretching by the crystal's error."""
        begins = self._next_index
        self._next_index = begins + len(block) * self._step
        if self._step == 1.0 or not len(block):
            self._file.write(int(begins), block)
            return
        # Grid points from the last block's last sample (exclusive) to this block's last one.
        first, last = math.floor(begins - self._step) + 1, math.floor(self._next_index - self._step)
        at = (np.arange(first, last + 1) - begins) / self._step
        known = np.concatenate(([self._last_sample], block))
        heard = np.interp(at, np.arange(-1, len(block)), known)
        self._file.write(first, np.rint(heard).astype(np.int16))
        self._last_sample = int(block[-1])
