"""The clock by which this cluster sounds: behind the true one by as much as its place asks for."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import final


@final
class Delay:
    """Where two horns are heard at one place, the nearer one waits for the sound of the other.

    The judgement, the records and the reports go by the true time; the player alone by this one,
    so that all of a cluster's sound is later by the same.

    Args:
        clock: The true time in epoch seconds.

    Attributes:
        lasts_s: How much later this cluster sounds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.lasts_s = 0.0

    def now_s(self) -> float:
        """Tell the time to sound by, in epoch seconds."""
        return self._clock() - self.lasts_s

    def now(self) -> datetime:
        """Tell the time to sound by."""
        return datetime.fromtimestamp(self.now_s(), UTC)
