"""A tap on the output: what is sent to the loudspeaker, and when it sounds."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import final

import numpy as np

from edge.listening import frames
from edge.listening.frames import FRAME, Powers, Sound, frame_powers
from edge.player.output import RATE_HZ, Output, Samples

_FULL_SCALE = 32_768
_STEP = RATE_HZ // frames.RATE_HZ
_MOST_BLOCKS = 1500


@final
class TappedOutput:
    """An output that keeps what it was given for whoever asks.

    The audio thread does no more for it than put a block aside: all else is done by who asks.
    """

    def __init__(self, output: Output, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._monotonic = monotonic
        self._sounds_at_s: float | None = None
        self._blocks: deque[tuple[float, Samples]] = deque(maxlen=_MOST_BLOCKS)

    @property
    def underruns(self) -> int:
        """Count as the output does."""
        return self._output.underruns

    def write(self, block: Samples) -> None:
        """Queue a block; see ``Output.write``."""
        if self._sounds_at_s is not None:
            if block.any():
                self._blocks.append((self._sounds_at_s, block))
            self._sounds_at_s += len(block) / RATE_HZ
        self._output.write(block)

    def delay_s(self) -> float:
        """Tell in how many seconds the next sample written would sound."""
        delay_s = self._output.delay_s()
        self._sounds_at_s = self._monotonic() + delay_s
        return delay_s

    def rest(self, wake: threading.Event, at_most_s: float) -> int:
        """Sound silence until woken; see ``Output.rest``."""
        return self._output.rest(wake, at_most_s)

    def close(self) -> None:
        """Release the device."""
        self._output.close()

    def take(self) -> Iterator[tuple[float, Powers]]:
        """Give what has been sent since the last time: when it sounds, and its frames."""
        while self._blocks:
            at_s, block = self._blocks.popleft()
            whole = len(block) // (FRAME * _STEP) * FRAME * _STEP
            if whole:
                yield at_s, frame_powers(_slower(block[:whole]))


def _slower(block: Samples) -> Sound:
    sound: Sound = block.reshape(-1, _STEP).mean(axis=1, dtype=np.float32) / _FULL_SCALE
    return sound
