"""Send alerts, in threads of their own: a slow service holds up neither orders nor the tick."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event

import structlog

from server.domain.alerts import Answer, Result
from server.domain.errors import SealBrokenError
from server.integrations.messengers import Letter, Messenger
from server.services import alerting
from server.services.alerting import InHand
from server.services.keyring import Keyring
from server.store.engine import Sessions

LOOK_EVERY_S = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Courier:
    """Takes what is due, sends it, and notes what became of it; several may work side by side.

    Attributes:
        reads: To look without keeping others from writing.
    """

    sessions: Sessions
    reads: Sessions
    keyring: Keyring
    messenger: Messenger
    clock: Callable[[], datetime]

    def run(self, stop: Event) -> None:
        """Send until ``stop`` is set."""
        while not stop.is_set():
            try:
                is_idle = not self.step()
            except Exception:  # a database that is away: what was in hand is tried again later
                log.exception("alerts_not_sent")
                is_idle = True
            if is_idle:
                stop.wait(LOOK_EVERY_S)

    def step(self) -> int:
        """Send what is due now; say how much that was. No transaction is open meanwhile."""
        with self.reads.begin() as db:
            if not alerting.is_any_due(db, now=self.clock()):
                return 0
        with self.sessions.begin() as db:
            taken = alerting.take_in_hand(db, now=self.clock())
        if not taken:
            return 0
        results = self._sent(taken)
        with self.sessions.begin() as db:
            alerting.note(db, results, now=self.clock())
        for one, answer in results.items():
            log.info("alert_tried", alert_id=one.alert_id, number=one.number, result=answer.result)
        return len(taken)

    def _sent(self, taken: Sequence[InHand]) -> dict[InHand, Answer]:
        letters, results = [], {}
        for one in taken:
            try:
                url = self.keyring.unseal(one.sealed_url).decode()
            except SealBrokenError:  # one address that nobody can read must not hold up the others
                results[one] = Answer(Result.BAD_ADDRESS, "sealed with another seal")
            else:
                letters.append(Letter(one.alert_id, url, one.subject, one.body))
        answers = self.messenger.send(letters)
        return results | {one: answers[one.alert_id] for one in taken if one not in results}
