"""What was sent or heard of late, frame by frame, on the monotonic clock's grid."""

from typing import final

import numpy as np

from edge.listening.frames import FRAMES_PER_S, Powers


@final
class Track:
    """The last minutes of frames; used by one thread at a time.

    Args:
        seconds: How far it reaches back.
        empty: What stands where nothing was put.
    """

    def __init__(self, seconds: int, empty: float) -> None:
        self._empty = empty
        self._frames: Powers = np.full(seconds * FRAMES_PER_S, empty, dtype=np.float32)
        self._end = 0

    @property
    def end(self) -> int:
        """Number of the first frame that is yet to come."""
        return self._end

    def put(self, at_s: float, frames: Powers) -> None:
        """Put frames that begin at an instant of the monotonic clock.

        What begins within a frame of where the last one ended goes on there: readings of a clock
        waver, and sound does not.
        """
        begins = at_s * FRAMES_PER_S
        first = self._end if abs(begins - self._end) <= 1 else round(begins)
        self._reach(first + len(frames))
        kept = frames[-len(self._frames) :]
        numbers = np.arange(first + len(frames) - len(kept), first + len(frames))
        in_time = numbers >= self._end - len(self._frames)
        self._frames[numbers[in_time] % len(self._frames)] = kept[in_time]

    def take(self, first: int, end: int) -> Powers:
        """Give the frames from one number up to another."""
        numbers = np.arange(first, end)
        is_known = (numbers < self._end) & (numbers >= self._end - len(self._frames))
        found = self._frames[numbers % len(self._frames)]
        return np.where(is_known, found, np.float32(self._empty))

    def _reach(self, end: int) -> None:
        """Forget what is now too old; between the last frame and the next one lies nothing."""
        if end <= self._end:
            return
        new = np.arange(max(self._end, end - len(self._frames)), end)
        self._frames[new % len(self._frames)] = self._empty
        self._end = end
