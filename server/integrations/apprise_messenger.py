"""Telling people through Apprise, in a process of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from subprocess import TimeoutExpired

import msgspec
import structlog

from audio_library.child import run_module
from server.domain.alerts import Answer, Result
from server.integrations.messengers import Letter

CHILD = "server.integrations.apprise_child"
WITHIN_S = 40.0
"""What has not been answered by then is ended, and counts as failed.

Services get 4 s to be reached and 4 s to answer; the rest is for a machine that is busy itself: the
child needs a second of it to begin.
"""

log = structlog.get_logger(__name__)


class ErrandLetter(msgspec.Struct, frozen=True):
    """A letter as the child is given it."""

    letter_id: int
    url: str
    subject: str
    body: str


class Errand(msgspec.Struct, frozen=True):
    """What the child is to do, given to it on standard input: a command line can be read."""

    letters: list[ErrandLetter]
    schemes: list[str]
    private_networks: list[str]


class ChildAnswer(msgspec.Struct, frozen=True):
    """What the child says of one letter."""

    letter_id: int
    result: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class AppriseMessenger:
    """Sends through the services of some schemes.

    Attributes:
        schemes: Which addresses may be used at all.
        private_networks: Networks that may be connected to though they are not public.
        within_s: After this the child is ended.
    """

    schemes: tuple[str, ...]
    private_networks: tuple[str, ...] = ()
    within_s: float = WITHIN_S

    def send(self, letters: Sequence[Letter]) -> dict[int, Answer]:
        """Send them side by side; what the child does not answer in time has failed."""
        errand = Errand(
            [ErrandLetter(one.letter_id, one.url, one.subject, one.body) for one in letters],
            list(self.schemes),
            list(self.private_networks),
        )
        missing = Answer(Result.FAILED, "no word of it")
        try:
            ran = run_module(CHILD, [], timeout_s=self.within_s, stdin=msgspec.json.encode(errand))
            said = ran.stdout
            if ran.returncode:
                # Not its last words: they may hold an address.
                log.error("messenger_failed", exit_status=ran.returncode)
        except TimeoutExpired as late:
            said = late.stdout or b""
            missing = Answer(Result.TIMED_OUT)
        found = {one.letter_id: one for one in _answers(said.splitlines())}
        return {
            letter.letter_id: _value(found[letter.letter_id])
            if letter.letter_id in found
            else missing
            for letter in letters
        }


def _answers(lines: Iterable[bytes]) -> Iterable[ChildAnswer]:
    for line in lines:
        try:
            yield msgspec.json.decode(line, type=ChildAnswer)
        except msgspec.DecodeError:  # the last line of a child that was ended in the middle of it
            continue


def _value(answer: ChildAnswer) -> Answer:
    return Answer(Result(answer.result), answer.words)
