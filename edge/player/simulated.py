"""A sound card without hardware: takes samples at the pace of its own crystal and drops them."""

import math
import threading
import time
from collections.abc import Callable
from typing import final

from edge.errors import OutputError
from edge.player.output import RATE_HZ, Fill, Samples


@final
class SimulatedOutput:
    """A virtual card paced by the monotonic clock, as a real one is by its crystal.

    It starts when the first block arrives, and runs on through an underrun as hardware does:
    what comes too late sounds late.
    """

    def __init__(
        self,
        *,
        crystal_ppm: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._true_rate_hz = RATE_HZ * (1 + crystal_ppm * 1e-6)
        self._fill = Fill()
        self._began_s: float | None = None
        self._written = 0
        self._underruns = 0
        self._closed = threading.Event()

    @property
    def true_rate_hz(self) -> float:
        """Samples that really sound in a second."""
        return self._true_rate_hz

    @property
    def underruns(self) -> int:
        """Count how often a block came too late."""
        return self._underruns

    def position_now(self) -> int:
        """Start the card if need be, and tell the card position the next block will get."""
        now_s = self._monotonic()
        if self._began_s is None:
            self._began_s = now_s
        played = math.ceil(self._played(now_s))
        if played > self._written:
            self._underruns += 1
            self._fill.ran_dry()
            self._written = played
        return self._written

    def sounds_at_s(self, position: int) -> float:
        """Tell the monotonic instant at which the sample at a card position sounds."""
        began_s = self._monotonic() if self._began_s is None else self._began_s
        return began_s + position / self._true_rate_hz

    def write(self, block: Samples) -> None:
        """Take a block, blocking while the buffer is full."""
        self._refuse_closed()
        self.position_now()
        self._written += len(block)
        room_at = self._written - max(self._filled(len(block)), len(block))
        while (excess := room_at - self._played(self._monotonic())) > 0:
            if self._closed.wait(excess / self._true_rate_hz):
                return

    def delay_s(self) -> float:
        """Tell in how many seconds the next sample written would sound."""
        self._refuse_closed()
        if self._began_s is None:
            return 0.0
        return max(0.0, (self._written - self._played(self._monotonic())) / self._true_rate_hz)

    def rest(self, wake: threading.Event, at_most_s: float) -> int:
        """Sleep until woken; the buffer is then as full of silence as a fed card's would be."""
        self._refuse_closed()
        before = self.position_now()
        wake.wait(at_most_s)
        self._written = max(before, math.ceil(self._played(self._monotonic())) + self._filled(0))
        return self._written - before

    def close(self) -> None:
        """Stop the card and let a waiting writer go."""
        self._closed.set()

    def _filled(self, count: int) -> int:
        return int(RATE_HZ * self._fill.seconds_for(count))

    def _played(self, now_s: float) -> float:
        return 0.0 if self._began_s is None else (now_s - self._began_s) * self._true_rate_hz

    def _refuse_closed(self) -> None:
        if self._closed.is_set():
            raise OutputError("simulated", "is closed")
