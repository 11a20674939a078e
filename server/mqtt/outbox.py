"""Carry the outbox to the broker: rows out, marked when the broker has confirmed them.

One thread publishes and knows what is under way; another marks, so that an urgent order never
waits behind somebody else's transaction; a third sleeps until something is committed.
"""

import queue
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol, TypeVar

import structlog

from server.mqtt.gateway import Confirmed, Connected, Disconnected, Signal, Woken
from server.services import outbox, reports
from server.services.retained import recently_retained
from server.store.engine import Sessions
from server.store.models import OutboxRow
from server.store.wake import Wakeup

POLL_S = 0.5
"""How often the table is read though nobody woke us."""
CONFIRM_WITHIN = timedelta(seconds=10)
WINDOW = 200
"""How many rows may be under way; the rest of a backlog waits in the table."""

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
T = TypeVar("T")


class Publisher(Protocol):
    """What the outbox needs of the link."""

    signals: queue.SimpleQueue[Signal]

    def publish(
        self, topic: str, payload: bytes, *, retained: bool, expiry_s: int | None = None
    ) -> int:
        """Give a message to the broker; a ``Confirmed`` with the number returned will follow."""


class OutboxCarrier:
    """Publishes, and knows which rows are under way. All methods belong to one thread.

    Attributes:
        confirmed: Rows that the broker has, on their way to being marked.
        marked: Rows that need not be remembered any longer.
    """

    def __init__(self, link: Publisher, reads: Sessions, *, clock: Clock) -> None:
        self.confirmed: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.marked: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._link, self._reads, self._clock = link, reads, clock
        self._connected = False
        self._under_way: dict[int, datetime] = {}  # since when
        self._numbers: dict[int, int] = {}  # row by its number at the broker
        self._unmarked: set[int] = set()
        self._newest: dict[str, int] = {}  # newest row that was retained on each topic

    def run(self, stop: Event) -> None:
        """Carry until ``stop`` is set."""
        while not stop.is_set():
            try:
                signal = self._link.signals.get(timeout=POLL_S)
            except queue.Empty:
                signal = Woken()
            self.step(signal)

    def step(self, signal: Signal) -> None:
        """Take one signal and all that wait behind it, then publish what may be due by them."""
        may_be_due = [self._heed(one) for one in (signal, *drained(self._link.signals))]
        if self._connected and any(may_be_due):
            self._publish_waiting(self._clock())

    def nudge(self) -> None:
        """Look again; may be called from any thread."""
        self._link.signals.put(Woken())

    def _heed(self, signal: Signal) -> bool:
        """Take one signal; say whether something may be due to be published by it."""
        match signal:
            case Connected():
                self._connected = True
                self._begin_again(self._clock(), state_kept=signal.state_kept)
                return True
            case Disconnected():
                self._connected = False
                return False
            case Confirmed():
                return self._settle(signal)
            case Woken():
                return True

    def _begin_again(self, now: datetime, *, state_kept: bool) -> None:
        # The client itself sends again what was under way: it gets its full time anew.
        self._under_way = dict.fromkeys(self._under_way, now)
        with self._reads.begin() as db:
            state = recently_retained(db, now=now) if state_kept else reports.retained(db)
        for topic, payload in state:
            self._link.publish(topic, payload, retained=True)
        log.info("broker_connected", state_kept=state_kept, published_again=len(state))

    def _settle(self, confirmed: Confirmed) -> bool:
        """Let a row be done; say whether it was one: the table is not read for every answer."""
        outbox_id = self._numbers.pop(confirmed.message_number, None)
        if outbox_id is None:  # an acknowledgement, or retained state told again
            return False
        if confirmed.refusal:
            # It stays in the table, and is tried again when its time is up.
            log.error("message_refused_by_broker", outbox_id=outbox_id, reason=confirmed.refusal)
        else:
            self._finish(outbox_id)
        return True

    def _finish(self, outbox_id: int) -> None:
        self._under_way.pop(outbox_id, None)
        self._unmarked.add(outbox_id)
        self.confirmed.put(outbox_id)

    def _publish_waiting(self, now: datetime) -> None:
        # Forget first and look then: what is marked now is no longer in the table's answer.
        marked = set(drained(self.marked))
        self._unmarked -= marked
        self._give_up_late(now)
        with self._reads.begin() as db:
            rows = outbox.waiting(db, now=now, limit=2 * WINDOW)
        for row in rows:
            if len(self._under_way) >= WINDOW:
                break
            if row.outbox_id not in self._under_way and row.outbox_id not in self._unmarked:
                self._publish_one(row, now)

    def _give_up_late(self, now: datetime) -> None:
        late = [row for row, since in self._under_way.items() if now - since > CONFIRM_WITHIN]
        for outbox_id in late:
            log.warning("message_not_confirmed", outbox_id=outbox_id)
            del self._under_way[outbox_id]

    def _publish_one(self, row: OutboxRow, now: datetime) -> None:
        if row.retained and self._newest.setdefault(row.topic, row.outbox_id) > row.outbox_id:
            # A newer state went out already; the older one would put it back.
            self._finish(row.outbox_id)
            return
        self._under_way[row.outbox_id] = now
        try:
            number = self._link.publish(
                row.topic, row.payload, retained=row.retained, expiry_s=_expiry_s(row, now)
            )
        except Exception:  # one row that cannot be published must not hold up the others
            log.exception("message_not_published", outbox_id=row.outbox_id, topic=row.topic)
            return
        self._numbers[number] = row.outbox_id
        if row.retained:
            self._newest[row.topic] = row.outbox_id


def mark_confirmed(carrier: OutboxCarrier, sessions: Sessions, clock: Clock, stop: Event) -> None:
    """Mark what the broker has confirmed, as much at once as there is, until ``stop`` is set."""
    while not stop.is_set():
        try:
            first = carrier.confirmed.get(timeout=POLL_S)
        except queue.Empty:
            continue
        ids = {first, *drained(carrier.confirmed)}
        try:
            with sessions.begin() as db:
                outbox.mark_published(db, ids, now=clock())
        except Exception:  # a database that is busy or away: what the broker has is marked later
            log.exception("messages_not_marked", messages=len(ids))
            for outbox_id in ids:
                carrier.confirmed.put(outbox_id)
            stop.wait(POLL_S)
            continue
        for outbox_id in ids:
            carrier.marked.put(outbox_id)
        carrier.nudge()


def wake_on_commit(signals: queue.SimpleQueue[Signal], wakeup: Wakeup, stop: Event) -> None:
    """Say so when somebody has committed something, until ``stop`` is set."""
    while not stop.is_set():
        if wakeup.wait(POLL_S):
            signals.put(Woken())


def drained(waiting: queue.SimpleQueue[T]) -> Iterator[T]:
    """Take all that waits in a queue now."""
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return


def _expiry_s(row: OutboxRow, now: datetime) -> int | None:
    return None if row.expires_at is None else int((row.expires_at - now).total_seconds())
