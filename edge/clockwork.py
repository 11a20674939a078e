"""When those who go by the clock learn that it was moved, or that it may be trusted or may not."""

from datetime import datetime, timedelta
from typing import final

from edge.clock import Clock
from edge.playout import Clockwork, Playout

STEP = timedelta(seconds=1)
"""A pull moves the clock by far more than this; between two looks at it passes less."""


@final
class ClockDesk:
    """Moves the clock where it is to be moved, and says what the playout must learn of that.

    Args:
        clock: The clock.
        may_guess: Whether a schedule is kept also by a clock that nothing vouches for.
    """

    def __init__(self, clock: Clock, *, may_guess: bool) -> None:
        self._clock, self._may_guess = clock, may_guess
        self._began_s = clock.ticks_s()

    @property
    def keeps_schedule(self) -> bool:
        """Whether what begins by the clock may begin."""
        return self._may_guess or self._clock.is_trusted

    def watched(self, playout: Playout) -> Clockwork | None:
        """Look at the machine's clocks; to be called every few seconds."""
        self._clock.watch()
        return self._followed(playout)

    def told(self, nonce: str, at: datetime, playout: Playout) -> Clockwork | None:
        """Take the server's time, where it was asked for."""
        return self._followed(playout) if self._clock.take_answer(nonce, at) else None

    def pulled(self, issued_at: datetime) -> Clockwork | None:
        """Go by an order that has just come, while nothing vouches for the time."""
        before = self._clock.now()
        self._clock.pull(issued_at)
        by = self._clock.now() - before
        return self._clockwork(by) if abs(by) >= STEP else None

    def _followed(self, playout: Playout) -> Clockwork | None:
        by = self._clock.step_due(is_silent=playout.current is None)
        if by is not None:
            self._clock.step()
        if by is None and self.keeps_schedule == playout.keeps_schedule:
            return None
        return self._clockwork(by or timedelta())

    def _clockwork(self, by: timedelta) -> Clockwork:
        lasted = timedelta(seconds=self._clock.ticks_s() - self._began_s)
        return Clockwork(self.keeps_schedule, self._clock.now() - lasted, by)
