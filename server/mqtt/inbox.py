"""Take in what nodes say: read, hand to the services, commit, and only then acknowledge.

Deliveries are taken in batches, each in one transaction. When one of them explodes the batch is
undone and taken again one by one, so that nobody else's word is lost: everything may be taken in
twice.
"""

import queue
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

import structlog
from sqlalchemy.orm import Session

from protocol.errors import BadTopicError, Refusal, RefusedError
from protocol.messages import NodeWord, Presence, Telemetry, decode_node_word
from protocol.topics import Kind, parse
from server.domain.errors import KeyMissingError, UnknownThingError
from server.mqtt.gateway import Delivery
from server.services import reports
from server.services.keyring import Keyring
from server.services.known_words import Known, known
from server.store.engine import Sessions

BATCH = 200
"""Deliveries in one transaction, at most; as few as are there when the last one is done."""
IDLE_S = 0.5
OWED = timedelta(seconds=2)
"""How long an acknowledgement may wait while more comes in; nodes repeat themselves after 10 s."""
REFUSAL_PAUSE = timedelta(minutes=1)
"""One refusal of each kind and node is put on record in this time; the others are counted."""
SHORTEST_NONCE = 32
"""A nonce that could be guessed is not answered."""
MOST_OWED = 300
"""With one more batch this is as much as one acknowledgement may name."""

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]


class TakeIn(Protocol):
    """Hands a node's word to the services; tells which report is safe now."""

    def __call__(
        self,
        db: Session,
        node_id: str,
        word: NodeWord,
        *,
        now: datetime,
        knowing: Known | None = None,
    ) -> str | None:
        """Take in one word."""


class Answerer(Protocol):
    """What the inbox needs of the link."""

    def publish(
        self, topic: str, payload: bytes, *, retained: bool, expiry_s: int | None = None
    ) -> int:
        """Give a message to the broker."""


@dataclass(frozen=True, slots=True)
class Said:
    """A word, and how it came."""

    node_id: str
    word: NodeWord
    delivery: Delivery


@dataclass(slots=True)
class RefusalLedger:
    """Remembers what was refused lately, so that a broken node cannot fill the database."""

    recorded_at: dict[tuple[str, Refusal], datetime] = field(default_factory=dict)
    uncounted: dict[tuple[str, Refusal], int] = field(default_factory=lambda: defaultdict(int))

    def to_record(self, node_id: str, refusal: Refusal, now: datetime) -> int:
        """Tell how many refusals are to be put on record now: none, or all since the last."""
        key = node_id, refusal
        self.uncounted[key] += 1
        last = self.recorded_at.get(key)
        if last is not None and now - last < REFUSAL_PAUSE:
            return 0
        self.recorded_at[key] = now
        return self.uncounted.pop(key)


class Inbox:
    """Takes in what lies in the queue of deliveries. All methods belong to one thread."""

    def __init__(
        self,
        link: Answerer,
        sessions: Sessions,
        *,
        keyring: Keyring,
        clock: Clock,
        take_in: TakeIn = reports.take_in,
    ) -> None:
        self._take_in = take_in
        self._link, self._sessions = link, sessions
        self._keyring, self._clock = keyring, clock
        self._ledger = RefusalLedger()
        self._owed: dict[str, list[str]] = defaultdict(list)  # safe, not yet acknowledged
        self._owed_since = clock()
        self._asked: dict[str, str] = {}  # the time, by which node and with which nonce
        self.failures = 0

    def run(self, deliveries: queue.Queue[Delivery], stop: Event) -> None:
        """Take in until ``stop`` is set."""
        while not stop.is_set():
            batch = next_batch(deliveries)
            if batch:
                self.take(batch, more_wait=not deliveries.empty())

    def take(self, batch: Sequence[Delivery], *, more_wait: bool = False) -> None:
        """Take in a batch, whatever is in it, and acknowledge what is safe.

        While ``more_wait`` the acknowledgements may wait too, for a little: when a thousand nodes
        answer an order, what they say is wanted sooner than what is said to them.
        """
        try:
            self._take_together(batch)
        except Exception:  # the batch is undone; whose fault it was shows when taken singly
            log.warning("batch_undone", deliveries=len(batch), exc_info=True)
            for delivery in batch:
                self._take_alone(delivery)
        # Before all else: a node counts how long its answer takes.
        self._tell_time()
        now = self._clock()
        if not more_wait or self._is_overdue(now):
            self._acknowledge(now)

    def _is_overdue(self, now: datetime) -> bool:
        longest = max(map(len, self._owed.values()), default=0)
        # A clock that was set back must not keep nodes waiting.
        return longest > MOST_OWED or not self._owed_since <= now < self._owed_since + OWED

    def _take_alone(self, delivery: Delivery) -> None:
        try:
            self._take_together([delivery])
        except Exception:  # one delivery that explodes must not stop those behind it
            self.failures += 1
            log.exception("delivery_failed", topic=delivery.topic, failures=self.failures)

    def _take_together(self, batch: Sequence[Delivery]) -> None:
        now = self._clock()
        safe: list[tuple[str, str]] = []
        with self._sessions.begin() as db:
            said = [found for delivery in batch if (found := self._read(db, delivery, now))]
            knowing = known(db, [(one.node_id, one.word) for one in said], now=now)
            for one in said:
                report_id = self._take_word(db, one, now, knowing)
                if report_id is not None:
                    safe.append((one.node_id, report_id))
        if not self._owed:
            self._owed_since = now
        for node_id, report_id in safe:
            self._owed[node_id].append(report_id)
        for one in said:
            if one.node_id in knowing.nodes and (nonce := _nonce(one)):
                self._asked[one.node_id] = nonce

    def _read(self, db: Session, delivery: Delivery, now: datetime) -> Said | None:
        try:
            node_id = speaker(delivery.topic)
        except BadTopicError as error:
            log.warning("delivery_on_foreign_topic", topic=error.topic)
            return None
        if delivery.retained and not delivery.payload:
            return None
        try:
            return Said(node_id, read_word(node_id, delivery), delivery)
        except RefusedError as error:
            self._refuse(db, node_id, delivery, error, now)
            return None

    def _take_word(self, db: Session, said: Said, now: datetime, knowing: Known) -> str | None:
        try:
            return self._take_in(db, said.node_id, said.word, now=now, knowing=knowing)
        except UnknownThingError:
            # A node that was taken away leaves its last presence at the broker.
            if not said.delivery.retained:
                stranger = RefusedError(Refusal.OUT_OF_SCOPE, "not a commissioned node")
                self._refuse(db, said.node_id, said.delivery, stranger, now)
            return None
        except RefusedError as error:
            # On record as refused, so the node may forget it: it sends the oldest first, and what
            # it repeats for ever stands in the way of all that follows.
            self._refuse(db, said.node_id, said.delivery, error, now)
            return None if isinstance(said.word, Presence | Telemetry) else said.word.report_id

    def _refuse(
        self, db: Session, node_id: str, delivery: Delivery, error: RefusedError, now: datetime
    ) -> None:
        count = self._ledger.to_record(node_id, error.refusal, now)
        if count:
            log.warning("word_refused", node_id=node_id, reason=error.refusal.value, count=count)
            reports.refuse_word(
                db,
                node_id=node_id,
                topic=delivery.topic,
                reason=error.refusal,
                detail=error.detail,
                count=count,
                now=now,
            )

    def _tell_time(self) -> None:
        if not self._asked:
            return
        asked, self._asked = self._asked, {}
        try:
            with self._sessions.begin() as db:
                answers = reports.times(db, asked, clock=self._clock, keyring=self._keyring)
        except KeyMissingError as error:
            # The nodes ask again.
            log.error("time_not_signed", error=str(error))  # noqa: TRY400 - no trace needed
            return
        for topic, payload in answers:
            self._link.publish(topic, payload, retained=False)

    def _acknowledge(self, now: datetime) -> None:
        if not self._owed:
            return
        owed, self._owed = self._owed, defaultdict(list)
        try:
            with self._sessions.begin() as db:
                answers = reports.acknowledgements(db, owed, now=now, keyring=self._keyring)
        except KeyMissingError as error:
            # The reports are safe; their nodes go on repeating them until this is mended.
            log.error("acknowledgement_not_signed", error=str(error))  # noqa: TRY400 - no trace needed
            return
        for topic, payload in answers:
            self._link.publish(topic, payload, retained=False)


def _nonce(said: Said) -> str:
    """Give what a node asks the time with; who asked in a retained birth waits no more."""
    word = said.word
    if said.delivery.retained or not isinstance(word, Presence | Telemetry):
        return ""
    return word.nonce if len(word.nonce) >= SHORTEST_NONCE else ""


def next_batch(deliveries: queue.Queue[Delivery]) -> list[Delivery]:
    """Wait a little for a delivery, then take what else is there."""
    batch: list[Delivery] = []
    try:
        batch.append(deliveries.get(timeout=IDLE_S))
        while len(batch) < BATCH:
            batch.append(deliveries.get_nowait())
    except queue.Empty:
        pass
    return batch


def speaker(topic: str) -> str:
    """Tell which node speaks on a topic; the broker lets nobody else write there.

    Raises:
        BadTopicError: It is no topic on which nodes speak.
    """
    place = parse(topic)
    if place.kind not in (Kind.PRESENCE, Kind.REPORT, Kind.TELEMETRY):
        raise BadTopicError(topic)
    return place.owner


def read_word(node_id: str, delivery: Delivery) -> NodeWord:
    """Decode what a node said, and see that it says it of itself and where it belongs.

    Raises:
        RefusedError: It cannot be read, or stands in the wrong place.
    """
    word = decode_node_word(delivery.payload)
    match word:
        case Presence():
            wanted = Kind.PRESENCE
            if word.node != node_id:
                raise RefusedError(Refusal.OUT_OF_SCOPE, f"presence of {word.node}")
        case Telemetry():
            wanted = Kind.TELEMETRY
        case _:
            wanted = Kind.REPORT
    if parse(delivery.topic).kind is not wanted:
        raise RefusedError(Refusal.UNKNOWN_KIND, f"{wanted.value} on {delivery.topic}")
    return word
