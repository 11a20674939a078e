"""The wall-clock lock: which wall instant each sample of a device belongs to, and reading there.

A device's crystal is off by some tens of parts per million, and its reports of delay are noisy.
``ClockLock`` follows it smoothly; sounds are then read at exactly the positions the wall clock
asks for, by interpolation, so that two nodes with the same clock stay together.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from edge.player.output import RATE_HZ

Audio = NDArray[np.float32]

# Measured with pairs of virtual cards 140 ppm apart: 0.2 ms worst after 10 s of lock.
_WINDOW = RATE_HZ // 2
_PULL_S = 4.0
_LEARN_PPM_PER_SAMPLE = 0.02
_LEARN_BLOCK = 960
_LEARNED_MOST_PPM = 500.0
# 1000 ppm is 1.7 cent: nobody hears it.
_PULL_MOST_PPM = 1000.0
# Above 4 ms slewing would take tens of seconds, so the lock jumps; 30 ms proved too patient.
_JUMP_S = 0.004
_JUMP_AFTER = RATE_HZ * 220 // 1000
# A clock that was set, or a device that stalled: no filter is needed to see it.
_STEP_S = 0.05
_STEP_AFTER = RATE_HZ * 60 // 1000
_INDEX = np.arange(16_384, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Span:
    """The wall instants of one block: sample ``k`` sounds at ``begins_s + k * pace / RATE_HZ``.

    Attributes:
        begins_s: Instant of the block's first sample, in seconds since the lock's epoch.
        count: Samples in the block.
        pace: Wall seconds per nominal second of the device.
        jumped_from_s: Where the block would have begun, had the lock not just jumped.
    """

    begins_s: float
    count: int
    pace: float = 1.0
    jumped_from_s: float | None = None

    @property
    def ends_s(self) -> float:
        """Instant of the first sample after the block."""
        return self.begins_s + self.count * self.pace / RATE_HZ


class Samplable(Protocol):
    """Sound that can be read at any position, silence where there is none."""

    def read(self, start: int, count: int) -> Audio:
        """Read samples ``[start, start + count)``; ``start`` may be negative."""


@final
class ClockLock:
    """Follow a device's clock against the wall clock, block by block."""

    def __init__(self) -> None:
        self._next_s: float | None = None
        self._learned_ppm = 0.0
        # Each error with the samples it stands for, oldest first.
        self._errors: deque[tuple[float, int]] = deque()
        self.jumps = 0

    @property
    def learned_ppm(self) -> float:
        """How much slower than the wall clock the device was found to run."""
        return self._learned_ppm

    def span(self, measured_s: float | None, count: int, *, slipped: bool = False) -> Span:
        """Give the next block its instants.

        Args:
            measured_s: When the device says the block's first sample will sound; None if the
                measurement failed and the lock must go on as it knows.
            count: Samples in the block.
            slipped: The device is known to have lost its place, so this measurement counts alone.
        """
        if self._next_s is None:
            if measured_s is None:
                return Span(0.0, count)
            self._next_s = measured_s
        jumped_from_s = None
        error_s = 0.0
        if measured_s is not None:
            if slipped:
                self._errors.clear()
            self._note(measured_s - self._next_s, count)
            leap_s = measured_s - self._next_s if slipped else self._leap_s()
            if leap_s:
                jumped_from_s, self._next_s = self._next_s, self._next_s + leap_s
                self._errors.clear()
                self.jumps += 1
        if self._errors:
            error_s = _median([error for error, _ in self._errors])
        pace = 1 + self._pull_ppm(error_s, count) * 1e-6
        span = Span(self._next_s, count, pace, jumped_from_s)
        self._next_s = span.ends_s
        return span

    def _note(self, error_s: float, count: int) -> None:
        self._errors.append((error_s, count))
        covered = sum(count for _, count in self._errors)
        while len(self._errors) > 1 and covered > _WINDOW:
            covered -= self._errors.popleft()[1]

    def _leap_s(self) -> float:
        """Say how far to jump, 0.0 for not at all."""
        for after, least_s in ((_STEP_AFTER, _STEP_S), (_JUMP_AFTER, _JUMP_S)):
            recent = self._latest(after)
            if recent and (min(recent) > least_s or max(recent) < -least_s):
                return _median(recent)
        return 0.0

    def _latest(self, samples: int) -> list[float]:
        """Give the errors of the last so many samples, none if there are not that many yet."""
        recent: list[float] = []
        for error_s, count in reversed(self._errors):
            recent.append(error_s)
            samples -= count
            if samples <= 0:
                return recent
        return []

    def _pull_ppm(self, error_s: float, count: int) -> float:
        """Learn the crystal slowly and pull the remaining error in."""
        if abs(error_s) <= _JUMP_S:
            self._learned_ppm += error_s * RATE_HZ * _LEARN_PPM_PER_SAMPLE * count / _LEARN_BLOCK
            self._learned_ppm = _within(self._learned_ppm, _LEARNED_MOST_PPM)
        return _within(error_s / _PULL_S * 1e6 + self._learned_ppm, _PULL_MOST_PPM)


def read_at(source: Samplable, position: float, count: int, pace: float) -> Audio:
    """Read ``count`` samples from a fractional position at a pace, by cubic Hermite curves."""
    base = math.floor(position)
    at = (position - base) + _INDEX[:count] * pace
    whole = at.astype(np.intp)
    x = (at - whole).astype(np.float32)
    near = source.read(base - 1, int(whole[-1]) + 4)
    p0, p1, p2, p3 = near[whole], near[whole + 1], near[whole + 2], near[whole + 3]
    cubic = 3 * (p1 - p2) + p3 - p0
    bent: Audio = p1 + 0.5 * x * (p2 - p0 + x * (2 * p0 - 5 * p1 + 4 * p2 - p3 + x * cubic))
    return bent


def _median(values: list[float]) -> float:
    # The upper of two middles will do, at a tenth of the price of the exact one.
    return sorted(values)[len(values) // 2]


def _within(value: float, most: float) -> float:
    return max(-most, min(most, value))
