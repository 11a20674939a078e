"""A messenger for tests: remembers what was sent, and answers what the test has said."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from server.domain.alerts import Answer, Result
from server.integrations.messengers import Letter


@dataclass(slots=True)
class FakeMessenger:
    """Takes everything, but for addresses about which it was told something else."""

    answers: dict[str, Answer] = field(default_factory=dict)
    sent: list[Letter] = field(default_factory=list)

    def send(self, letters: Sequence[Letter]) -> dict[int, Answer]:
        """Answer each letter as the test has said."""
        self.sent.extend(letters)
        return {
            letter.letter_id: self.answers.get(letter.url, Answer(Result.SENT))
            for letter in letters
        }
