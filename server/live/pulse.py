"""Whether a microphone is still there: sound comes, or at least its connection answers. Pure.

A cheap phone halts for a second or two while it tidies its memory or draws another page; its
connection answers meanwhile, and what was captured comes afterwards. A connection that does not
answer is broken.
"""

from datetime import datetime, timedelta
from typing import final

SILENCE = timedelta(seconds=1.5)
"""A microphone on air of which neither sound nor an answer comes for so long is lost."""

STALLED = timedelta(seconds=4)
"""So long its connection alone keeps it on air; what the stamper has learned lasts longer."""

QUIET = timedelta(seconds=0.3)
"""After so much without sound the connection is asked whether it lives, and again after each
answer."""


@final
class Pulse:
    """What is known of one microphone on air."""

    def __init__(self, now: datetime) -> None:
        self._heard_at = self._answered_at = self._asked_at = now

    def heard(self, now: datetime) -> None:
        """Note that sound has come."""
        self._heard_at = now

    def answered(self, now: datetime) -> None:
        """Note that the connection has answered."""
        self._answered_at = now

    def asked(self, now: datetime) -> None:
        """Note that the connection is asked."""
        self._asked_at = now

    def is_quiet(self, now: datetime) -> bool:
        """Say whether sound should have come by now."""
        return now - self._heard_at >= QUIET

    def is_due(self, now: datetime) -> bool:
        """Say whether the connection is to be asked."""
        return self.is_quiet(now) and now - self._asked_at >= QUIET

    def is_lost(self, now: datetime) -> bool:
        """Say whether the microphone counts as lost."""
        sign_at = max(self._heard_at, self._answered_at)
        return now - sign_at >= SILENCE or now - self._heard_at >= STALLED
