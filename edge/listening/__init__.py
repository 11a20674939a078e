"""Listening to the loudspeaker: whether it sounds what it is given, and nothing else.

The port is implemented by ``edge.listening.listener.Listener``, and by ``NoEar`` here for a board
without a microphone, which then loads nothing of it all.
"""

from datetime import datetime
from typing import Protocol, final

from edge.playout import Playout
from protocol.messages import AsRun, ToneHeard


class Listening(Protocol):
    """What hears the loudspeaker of a node."""

    @property
    def standing(self) -> frozenset[str]:
        """The alarms that what was heard gives now."""

    @property
    def tone(self) -> ToneHeard | None:
        """What became of the newest test tone."""

    def look(self, playout: Playout, now: datetime) -> None:
        """Play the test tone, or look for it, when it is time; called every second.

        Args:
            playout: What sounds.
            now: The time, which must be known.
        """

    def start(self) -> None:
        """Begin to listen."""

    def close(self) -> None:
        """Stop listening; closing twice is harmless."""

    def attested(self, record: AsRun, now: datetime) -> AsRun:
        """Put into a record what was heard of its claim.

        Args:
            record: The record.
            now: The time, by the clock that the record's instants are of.
        """


@final
class NoEar:
    """A board without a microphone."""

    standing: frozenset[str] = frozenset()
    tone: ToneHeard | None = None

    def look(self, playout: Playout, now: datetime) -> None:
        """Do nothing."""

    def start(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def attested(self, record: AsRun, now: datetime) -> AsRun:  # noqa: ARG002 - the port's
        """Leave the record as it is."""
        return record
