"""Sound from the horn that nobody ordered; traffic, rain and a slammed door are none."""

from collections import deque
from dataclasses import dataclass, field

_WINDOW_S = 10
_LOUD_OF_WINDOW = 8
_CALM_S = 15
_FALL_DB = 6.0


@dataclass(slots=True)
class Unordered:
    """Takes one reading each second, and says whether the alarm stands.

    It rises when eight of ten seconds were loud while nothing was ordered, and falls after
    15 s that were 6 dB below that, or in which something was ordered.

    Attributes:
        loud_db: From where on sound is loud; None: that is not known, and nothing is told.
        stands: Whether the alarm stands.
    """

    loud_db: float | None
    stands: bool = False
    _loud: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW_S))
    _calm_s: int = 0

    def take(self, level_db: float | None, *, ordered: bool) -> None:
        """Take a second's level.

        Args:
            level_db: How loud it was in the band of the horn; None: nobody listened.
            ordered: Whether anything that was ordered may be heard in it.
        """
        if self.loud_db is None or level_db is None:
            return
        self._loud.append(not ordered and level_db >= self.loud_db)
        is_calm = ordered or level_db < self.loud_db - _FALL_DB
        self._calm_s = self._calm_s + 1 if is_calm else 0
        if sum(self._loud) >= _LOUD_OF_WINDOW:
            self.stands = True
        elif self._calm_s >= _CALM_S:
            self.stands = False
