"""Frames of one live broadcast by number: taken as they come, given when they are due.

No clock, no thread and no sound: instants are microseconds since 1970 and are passed in. One thread
takes frames in and another asks for them; what they share are single numbers and a dictionary.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import final

from protocol.errors import Refusal, RefusedError
from protocol.live import FRAME, Ending, LiveFrames
from protocol.messages import FrameTally

SILENCE = timedelta(seconds=1.5)
"""After so much without a frame to hear, and without word that it goes on, a broadcast is over."""

FIRST_WAIT = timedelta(seconds=4)
"""So long somebody may take to begin to speak."""

LOST = "live-lost"
BROKEN_OFF = "live-broken-off"

_FRAME_US = FRAME // timedelta(microseconds=1)
_SILENCE_US = SILENCE // timedelta(microseconds=1)
_FIRST_WAIT_US = FIRST_WAIT // timedelta(microseconds=1)
# Of one broadcast all messages tell the same beginning, but for rounding.
_DISAGREE_US = 1_000
# Twenty seconds: the longest delay, and as much again of an early clock.
_MOST_WAITING = 1_000
# Frames that nobody asked for are kept this long after their time.
_KEPT_US = 1_000_000
_MOST_MISSED = 3_000


@dataclass(frozen=True, slots=True)
class Over:
    """A broadcast has ended: when its last frame is heard, and why unless it was spoken whole."""

    at_us: int
    cause: str


@final
class JitterBuffer:
    """The frames of one broadcast that have come and were not heard yet."""

    def __init__(self, delay: timedelta, *, expected_us: int) -> None:
        """Wait for the first frame.

        Args:
            delay: A frame is heard so long after it was captured.
            expected_us: When the first one should be heard, at the latest.
        """
        self._delay_us = delay // timedelta(microseconds=1)
        self._expected_us = expected_us
        self._first_us: int | None = None
        self._frames: dict[int, bytes] = {}
        self._asked = 0
        self._taken = 0
        self._goes_on_until = 0
        self._end: int | None = None
        self._ending = Ending.GOES_ON
        self._missed: set[int] = set()
        self._heard = self._late = self._missing = 0

    @property
    def zero_us(self) -> int | None:
        """When the frame numbered 0 is heard, or would have been; None before any came."""
        return None if self._first_us is None else self._first_us + self._delay_us

    @property
    def tally(self) -> FrameTally:
        """Count what came in time, too late, and not in time."""
        return FrameTally(heard=self._heard, late=self._late, missing=self._missing)

    def take(self, message: LiveFrames, now_us: int) -> None:
        """Take in a message of this broadcast: doubled, reordered or late ones change nothing.

        Raises:
            RefusedError: Its time is not that of the messages before it.
        """
        first_us = message.first_captured_us
        if self._first_us is None:
            self._first_us = first_us
        elif abs(first_us - self._first_us) > _DISAGREE_US:
            raise RefusedError(Refusal.GARBLED, "two beginnings of one broadcast")
        self._forget(now_us)
        for number, frame in enumerate(message.frames, start=message.sequence):
            self._take(number, frame)
        if not message.frames:
            # A phone that stands still: nothing was captured so far, and more is to come.
            self._goes_on_until = max(self._goes_on_until, message.sequence)
        if message.ending is not Ending.GOES_ON and self._end is None:
            self._end = message.sequence + len(message.frames)
            self._ending = message.ending

    def frame(self, number: int) -> bytes | None:
        """Give a frame whose time has come; None when it is not there, and it is missing then.

        Numbers are asked for in order, each once; some may be passed over.
        """
        self._asked = number + 1
        found = self._frames.pop(number, None)
        if found is not None:
            self._heard += 1
        elif self._end is None or number < self._end:
            self._missing += 1
            if len(self._missed) < _MOST_MISSED:
                self._missed.add(number)
        return found

    def over(self, now_us: int) -> Over | None:
        """Tell whether the broadcast has ended by now, and when its last sound is heard."""
        zero_us = self.zero_us
        if zero_us is None:
            waited = now_us >= self._expected_us + _FIRST_WAIT_US
            return Over(now_us, LOST) if waited else None
        if self._end is not None:
            cause = BROKEN_OFF if self._ending is Ending.BROKEN_OFF else ""
            return Over(zero_us + self._end * _FRAME_US, cause)
        known = max(self._taken, self._goes_on_until)
        silent_us = max(zero_us + known * _FRAME_US, self._expected_us)
        return Over(now_us, LOST) if now_us >= silent_us + _SILENCE_US else None

    def _take(self, number: int, frame: bytes) -> None:
        if self._end is not None and number >= self._end:
            return
        if number in self._missed:
            self._missed.discard(number)
            self._late += 1
        elif number >= self._asked and len(self._frames) < _MOST_WAITING:
            self._frames[number] = frame
            self._taken = max(self._taken, number + 1)

    def _forget(self, now_us: int) -> None:
        """Drop what nobody asked for: something else had the loudspeakers."""
        oldest = (now_us - _KEPT_US - (self.zero_us or 0)) // _FRAME_US
        # Copied first: the other thread takes frames out meanwhile.
        for number in list(self._frames):
            if number < oldest:
                self._frames.pop(number, None)
