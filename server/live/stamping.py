"""When each frame was captured, by the server's clock, though only the phone's knows. Pure.

The phone says when it captured a frame by a clock of its own. The message that took the shortest
way of late tells how the two clocks stand to one another; ways get longer and shorter by the
second, clocks do not.
"""

from collections import deque
from typing import final

from protocol.live import FRAME_S

WINDOW_S = 5.0
"""A way that has become longer for good is believed after so long."""

_HOLE_S = 3 * FRAME_S
_TOO_EARLY_S = 0.5


@final
class Stamper:
    """Numbers the frames of one microphone: frame k was captured 20 ms x k after the first."""

    def __init__(self) -> None:
        # When messages came, and how far the phone's clock seemed behind then, at most.
        self._offsets: deque[tuple[float, float]] = deque()
        self._first_s: float | None = None
        self._next = 0

    @property
    def first_captured_s(self) -> float | None:
        """When the frame numbered 0 was captured; None before any was."""
        return self._first_s

    @property
    def next_number(self) -> int:
        """Number of the first frame that was not captured yet."""
        return self._next

    @property
    def next_captured_s(self) -> float | None:
        """When the next frame is captured if nothing comes between; None before any was."""
        return None if self._first_s is None else self._first_s + self._next * FRAME_S

    def captured_s(self, arrived_s: float, media_s: float, count: int) -> float:
        """Tell when the first of some frames was captured, and learn from their way.

        Args:
            arrived_s: When they came, by the server's clock.
            media_s: When the first was captured, by the phone's.
            count: How many there are; they cannot leave before the last one is over.
        """
        self._offsets.append((arrived_s, arrived_s - media_s - count * FRAME_S))
        while self._offsets[0][0] < arrived_s - WINDOW_S:
            self._offsets.popleft()
        return media_s + min(offset for _, offset in self._offsets)

    def number(self, captured_s: float, count: int) -> int | None:
        """Number some frames; None when they are to be left out.

        Where nothing was captured for a while, numbers are passed over; where there is more sound
        than time, frames are dropped.
        """
        if self._first_s is None:
            self._first_s = captured_s
        ahead_s = captured_s - (self._first_s + self._next * FRAME_S)
        if ahead_s < -_TOO_EARLY_S:
            return None
        if ahead_s > _HOLE_S:
            self._next += round(ahead_s / FRAME_S)
        number, self._next = self._next, self._next + count
        return number
