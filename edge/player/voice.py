"""One sound being rendered: its place on the clock, its gain, and where it is cut."""

import math
from typing import final

import numpy as np

from edge.errors import Stall
from edge.player.levels import Ramp
from edge.player.output import RATE_HZ
from edge.player.reader import Audio, Span, read_at
from edge.player.timeline import Timeline

# The curve between samples looks one back and two ahead.
CURVE = 4
# A sound whose file goes on beyond its length is cut here, softly.
_TAIL = RATE_HZ // 100


@final
class Voice:
    """One sound being rendered: its timeline, where it lies on the clock, and its gain.

    Attributes:
        told: Whether the last that was told of it is that it is heard.
    """

    def __init__(self, timeline: Timeline, epoch_s: float, gain: float) -> None:
        self.timeline = timeline
        self.begins_s = timeline.sound.begins.timestamp() - epoch_s
        self.gain = gain
        self.ramp = Ramp(gain, gain)
        self.told = False

    @property
    def ends_s(self) -> float:
        """Instant at which the sound's length is reached."""
        return self.begins_s + self.timeline.sound.length_s

    def position(self, at_s: float) -> float:
        """Say which sample of the sound belongs to an instant."""
        return (at_s - self.begins_s) * RATE_HZ

    def ready(self, at_s: float, count: int) -> bool:
        """Tell whether everything from an instant on is decoded; ask for it if not."""
        first = math.floor(self.position(at_s))
        self.timeline.position = first
        return self.timeline.ready(first, count + CURVE)

    def stall(self, at_s: float, count: int) -> Stall | None:
        """Say why a station that should be heard from an instant on is not; None when all is."""
        first = math.floor(self.position(at_s))
        station = self.timeline.station_at(first, count + CURVE)
        if station is None or station.ready(first, first + count + CURVE):
            return None
        return station.stall

    def render(self, span: Span, *, hold: int = 0) -> Audio:
        """Give one block; a gain that changes does so after ``hold`` samples."""
        block = self._cut(self._read(span.begins_s, span), span)
        if span.jumped_from_s is not None:
            blend = np.linspace(0, 1, span.count, dtype=np.float32)
            block = blend * block + (1 - blend) * self._read(span.jumped_from_s, span)
        gained: Audio = block * self.ramp.take(span.count, hold=hold)
        return gained

    def _read(self, at_s: float, span: Span) -> Audio:
        return read_at(self.timeline, self.position(at_s), span.count, span.pace)

    def _cut(self, block: Audio, span: Span) -> Audio:
        """Silence what lies beyond the sound's length."""
        left = (self.ends_s - span.begins_s) * RATE_HZ / span.pace
        if left >= span.count + _TAIL:
            return block
        fall = (left - np.arange(span.count, dtype=np.float32)) / _TAIL
        return block * np.clip(fall, 0.0, 1.0).astype(np.float32)
