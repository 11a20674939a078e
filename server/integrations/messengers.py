"""The port through which people are told of something outside the pages.

Implemented by ``apprise_messenger`` and, for tests, ``fake_messenger``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from server.domain.alerts import Answer


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one channel.

    Attributes:
        url: The channel's address, which holds its secrets: not in any log.
    """

    letter_id: int
    url: str = field(repr=False)
    subject: str
    body: str


class Messenger(Protocol):
    """Sends letters, and tells what became of each."""

    def send(self, letters: Sequence[Letter]) -> dict[int, Answer]:
        """Send them side by side; every letter gets an answer, within a bounded time."""
