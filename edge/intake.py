"""What came over the wire: judged by the time, taken in, put off until the time is known, refused.

What the message says is judged by ``edge.schedule``.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import final

import structlog

from edge.clock import Clock
from edge.clockwork import ClockDesk
from edge.inbox import Worth
from edge.keeping import Keeping
from edge.link import Delivery
from edge.outbox import numbered
from edge.playout import Clockwork
from edge.runs import UNNUMBERED
from edge.schedule import (
    Accepted,
    Acknowledged,
    Doubtful,
    HeldAlready,
    Holdings,
    Order,
    Repeated,
    Timed,
    Unconcerned,
    Verdict,
    receive,
)
from edge.stage import Stage
from edge.telling import Telling
from edge.timekeeping import judged_instead
from edge.upkeep import check_able
from protocol.errors import Refusal, RefusedError
from protocol.messages import Received
from protocol.signing import unverified

_log = structlog.get_logger()

MOST_PUT_OFF = 50
"""So many orders at most wait for the time; then the oldest is refused."""


def judged(held: Holdings, delivery: Delivery, clock: Clock) -> tuple[Verdict, datetime | None]:
    """Judge a message by the time, or by its own where the time is not known so well.

    Returns:
        The verdict, and when the message was issued if it was judged by that.

    Raises:
        RefusedError: It is not to be acted on.
    """
    raw, now, newest = delivery.payload, clock.now(), clock.newest_issued
    try:
        return receive(held, delivery.topic, raw, now, newest_issued=newest), None
    except RefusedError as error:
        issued_at = judged_instead(raw, error, now, None if newest else clock.bound)
        if issued_at is None:
            raise
    return receive(held, delivery.topic, raw, issued_at, newest_issued=newest), issued_at


def worth(held: Holdings, delivery: Delivery, clock: Clock) -> Worth:
    """Say what is to become of a message while so many wait that not all can be taken in."""
    try:
        if unverified(delivery.payload).jti in held.orders:
            # Genuine or not, there is nothing in it: that need not be verified.
            return Worth.NOTHING
        verdict, _issued_at = judged(held, delivery, clock)
    except RefusedError:
        return Worth.NOTHING
    match verdict:
        case Accepted(order=Order(is_grave=True)) | Doubtful(order=Order(is_grave=True)):
            return Worth.THE_FIRST
        case Accepted() | Doubtful() | Acknowledged() | Timed():
            return Worth.ITS_TURN
        case Repeated() | HeldAlready() | Unconcerned():
            return Worth.NOTHING


@final
class Intake:
    """Takes in what the server says, and the time that it is judged by.

    Args:
        clock: The time.
        clock_desk: Says when the playout must learn of the time.
        accepted: Does what follows from a message that is held now.
    """

    def __init__(
        self,
        stage: Stage,
        telling: Telling,
        *,
        keeping: Keeping,
        clock: Clock,
        clock_desk: ClockDesk,
        accepted: Callable[[Accepted, datetime], None],
    ) -> None:
        self._stage, self._telling, self._keeping = stage, telling, keeping
        self._clock, self._clock_desk = clock, clock_desk
        self._accepted = accepted
        self._put_off: deque[Delivery] = deque()

    def take(self, delivery: Delivery) -> None:
        """Do what a message asks for, or refuse it."""
        try:
            verdict, issued_at = judged(self._stage.held, delivery, self._clock)
            self._check_able(verdict)
        except RefusedError as error:
            self._telling.refuse(delivery, error)
            return
        match verdict:
            case Accepted():
                self._accept(verdict, issued_at)
            case Timed(nonce, at):
                self._take_clockwork(self._clock_desk.told(nonce, at, self._stage.playout))
            case Doubtful():
                self._wait(delivery)
            case Acknowledged(report_ids):
                self._keeping.acknowledge(report_ids, self._clock.ticks_s())
            case Repeated():
                self._take_repeated(delivery, verdict)
            case HeldAlready():
                # What the broker keeps comes at every connection, just after the birth.
                self._telling.note_held(is_to_tell=not delivery.retained)
            case Unconcerned():
                pass

    def watch_clock(self) -> None:
        """Follow the machine's clocks; to be called every few seconds."""
        self._take_clockwork(self._clock_desk.watched(self._stage.playout))

    def _check_able(self, verdict: Verdict) -> None:
        if isinstance(verdict, Accepted) and verdict.order is not None:
            trouble = self._keeping.trouble
            check_able(verdict.order, self._stage.playout, self._clock.now(), trouble=trouble)

    def _accept(self, verdict: Accepted, issued_at: datetime | None) -> None:
        stage, order = self._stage, verdict.order
        if order is not None:
            self._clock.take_issued(order.issued_at)
            # One that holds by the clock may have waited for this node: it does not tell the time.
            if issued_at is not None:
                self._take_clockwork(self._clock_desk.pulled(issued_at))
        turn = replace(stage.turn(), kept=verdict.kept)
        if order is not None:
            receipt = _receipt(order, verdict.kept.name, turn.now)
            turn = replace(turn, reports=(numbered(receipt),))
        if verdict.kept.kind == "config":
            stage.keep(turn)
            stage.hold_from_disk()
            stage.listen()
            stage.take(stage.held.programme())
        else:
            stage.take_and_keep(verdict.holdings.programme(), turn)
            stage.held = verdict.holdings
        if order is None:
            self._telling.note_held()
        _log.info("message_accepted", kind=verdict.kept.kind, message_id=verdict.kept.name)
        self._accepted(verdict, turn.now)

    def _take_repeated(self, delivery: Delivery, verdict: Repeated) -> None:
        """Answer again when the server cannot have heard the answer; else it is a replay."""
        if self._keeping.awaits_receipt(verdict.token_id):
            self._keeping.send_due(self._clock.ticks_s(), all_again=True)
        else:
            self._telling.refuse(delivery, RefusedError(Refusal.REPLAYED, verdict.claim_id))

    def _wait(self, delivery: Delivery) -> None:
        """Keep an order until the time is known; where too many wait, the oldest is refused."""
        if delivery not in self._put_off:
            self._put_off.append(delivery)
        if len(self._put_off) > MOST_PUT_OFF:
            oldest = self._put_off.popleft()
            self._telling.refuse(oldest, RefusedError(Refusal.UNTRUSTED_CLOCK))

    def _take_clockwork(self, learnt: Clockwork | None) -> None:
        """Let those who go by the clock know of it, and take in what has waited for the time."""
        if learnt is not None:
            self._tell_clockwork(learnt)
        # A clock may be found right as it is: then nobody has anything to learn but those who wait.
        if self._clock.is_trusted:
            waiting, self._put_off = self._put_off, deque()
            for delivery in waiting:
                self.take(delivery)

    def _tell_clockwork(self, learnt: Clockwork) -> None:
        clock, knew = self._clock, self._stage.playout.keeps_schedule
        self._stage.follow_clock(learnt)
        _log.info(
            "clock_known" if clock.is_trusted else "clock_not_trusted",
            by_s=round(learnt.by.total_seconds(), 3),
            source=clock.source.value,
            trusted=clock.is_trusted,
        )
        clock.keep()
        if learnt.keeps_schedule != knew:
            self._telling.send_telemetry()


def _receipt(order: Order, message_id: str, now: datetime) -> Received:
    return Received(report_id=UNNUMBERED, claim_id=order.claim_id, at=now, message_id=message_id)
