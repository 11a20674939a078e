"""Loudness on its way out: ramps without clicks, a limiter that never clips, and a meter."""

import math
from collections import deque
from typing import final

import numpy as np

from edge.player.output import RATE_HZ, Samples
from edge.player.reader import Audio

FADE = 50 * RATE_HZ // 1000
"""What is cut is faded out in 50 ms, and what cuts in is faded in: heard at once, and no crack."""

SILENCE_DBFS = -120.0
_CEILING_DBFS = -1.0
_ATTACK = RATE_HZ // 1000
_RELEASE_S = 0.1
_METER = RATE_HZ // 2
_FULL_SCALE = 32_767


def gain_of(decibels: float) -> float:
    """Turn decibels into a factor."""
    return float(10 ** (decibels / 20))


@final
class Ramp:
    """A gain that moves to its goal in 50 ms instead of at once."""

    def __init__(self, level: float, goal: float) -> None:
        self._level = level
        self._goal = goal
        self._left = 0 if level == goal else FADE

    @property
    def silent(self) -> bool:
        """Whether the gain has come to rest at nothing."""
        return self._left == 0 and self._level == 0.0

    def aim(self, goal: float) -> None:
        """Move from wherever the gain is now."""
        if goal != self._goal:
            self._goal = goal
            self._left = FADE

    def take(self, count: int, *, hold: int = 0) -> "float | Audio":
        """Give the gains of the next samples, the first ``hold`` of them as before."""
        if self._left == 0:
            return self._level
        moving = min(self._left, count - hold)
        reached = self._level + (self._goal - self._level) * moving / self._left
        if moving == self._left:
            reached = self._goal
        gains = np.empty(count, dtype=np.float32)
        gains[:hold] = self._level
        gains[hold : hold + moving] = np.linspace(self._level, reached, moving, endpoint=False)
        gains[hold + moving :] = reached
        self._left -= moving
        self._level = reached
        return gains


@final
class Limiter:
    """Keep peaks at -1 dBFS: 1 ms of attack, 100 ms of release, and a hard stop behind it."""

    def __init__(self) -> None:
        self._ceiling = gain_of(_CEILING_DBFS)
        self._gain = 1.0

    def limit(self, block: Audio) -> Audio:
        """Give the block with no sample above the ceiling."""
        peak = float(np.abs(block).max(initial=0.0))
        if self._gain == 1.0 and peak <= self._ceiling:
            return block
        wanted = min(1.0, self._ceiling / peak) if peak else 1.0
        recovery = 1 - math.exp(-len(block) / (RATE_HZ * _RELEASE_S))
        after = min(wanted, self._gain + (1.001 - self._gain) * recovery)
        moving = min(_ATTACK if after < self._gain else len(block), len(block))
        gains = np.full(len(block), after, dtype=np.float32)
        gains[:moving] = np.linspace(self._gain, after, moving, dtype=np.float32)
        self._gain = after
        # The attack's own millisecond is still over: cut it off rather than let it through.
        limited: Audio = np.clip(block * gains, -self._ceiling, self._ceiling)
        return limited


def to_samples(block: Audio) -> Samples:
    """Turn -1..1 into what a device takes."""
    return np.rint(block * _FULL_SCALE).astype(np.int16)


@final
class Meter:
    """The root mean square of the last half second."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, int]] = deque()
        self._energy = 0
        self._count = 0
        self._dbfs = SILENCE_DBFS

    def add(self, block: Samples) -> None:
        """Take note of a block on its way out."""
        # Whole numbers, so that the running sum cannot drift.
        self._append(int(np.square(block, dtype=np.int64).sum()), len(block))

    def rest(self, count: int) -> None:
        """Take note of so many samples of silence."""
        self._append(0, count)

    def _append(self, energy: int, count: int) -> None:
        self._blocks.append((energy, count))
        self._energy += energy
        self._count += count
        while self._count - self._blocks[0][1] >= _METER:
            energy, count = self._blocks.popleft()
            self._energy -= energy
            self._count -= count
        mean = self._energy / max(self._count, _METER) / _FULL_SCALE**2
        self._dbfs = max(SILENCE_DBFS, 10 * math.log10(mean)) if mean > 0 else SILENCE_DBFS

    def dbfs(self) -> float:
        """Tell the level of the last half second; safe from any thread."""
        return self._dbfs
