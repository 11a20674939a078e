"""Take in what nodes say: read, hand to the services, commit, and only then acknowledge.

Deliveries are taken in batches, each in one transaction. When one of them explodes the batch is
undone and taken again one by one, so that nobody else's word is lost: everything may be taken in
twice.

A transaction costs as much as the words of many nodes, and an acknowledgement as much as a word. So
when a thousand nodes answer an order, the first are taken in at once, the others by the dozen, and
all are acknowledged when the last has spoken.
"""

import queue
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

import structlog
from sqlalchemy.orm import Session

from protocol.errors import BadTopicError, Refusal, RefusedError
from protocol.messages import NodeWord, Presence, Telemetry, decode_node_word
from protocol.signing import SigningKey
from protocol.topics import Kind, parse
from server.domain.errors import KeyMissingError, UnknownThingError
from server.mqtt.gateway import Delivery
from server.services import reports
from server.services.keyring import Keyring
from server.services.known_words import Known, check, known
from server.store.engine import Sessions, reading
from server.store.inserts import write_changes

BATCH = 200
"""Deliveries in one transaction, at most; as few as are there when the last one is done."""
RUSH = 10
"""Who finds so many waiting lets others join them, before they take the next."""
GATHERING_S = 0.05
IDLE_S = 0.5
QUIET = timedelta(seconds=0.3)
"""Acknowledgements go out when no report has come in for so long."""
OWED = timedelta(seconds=3)
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
    """A word, and how it came; ``wrong`` where no database can hold it."""

    node_id: str
    word: NodeWord
    delivery: Delivery
    wrong: RefusedError | None


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
        self._owed_since = self._owed_last = clock()
        self._asked: dict[str, str] = {}  # the time, by which node and with which nonce
        self.failures = 0

    def run(self, deliveries: queue.Queue[Delivery], stop: Event) -> None:
        """Take in until ``stop`` is set."""
        while not stop.is_set():
            batch = next_batch(deliveries, QUIET.total_seconds() if self._owed else IDLE_S)
            if batch:
                self.take(batch)
            self.acknowledge_due()
            if RUSH <= len(batch) < BATCH:
                stop.wait(GATHERING_S)
        self.acknowledge()

    def take(self, batch: Sequence[Delivery]) -> None:
        """Take in a batch, whatever is in it."""
        try:
            self._take_together(batch)
        except Exception:  # the batch is undone; whose fault it was shows when taken singly
            log.warning("batch_undone", deliveries=len(batch), exc_info=True)
            for delivery in batch:
                self._take_alone(delivery)
        # Before all else: a node counts how long its answer takes.
        self._tell_time()

    def acknowledge_due(self) -> None:
        """Acknowledge what is safe, once no more has come in for a moment, or it has waited long.

        When a thousand nodes answer an order, what they say is wanted sooner than what is said to
        them.
        """
        if self._is_due(self._clock()):
            self.acknowledge()

    def acknowledge(self) -> None:
        """Acknowledge all that is safe now.

        Where no unit has a key to sign with, the nodes go on repeating their reports.
        """
        if self._owed:
            owed, self._owed = self._owed, defaultdict(list)
            self._answer(lambda key: reports.acknowledgements(owed, now=self._clock(), key=key))

    def _is_due(self, now: datetime) -> bool:
        longest = max(map(len, self._owed.values()), default=0)
        # A clock that was set back must not keep nodes waiting.
        is_quiet = not self._owed_last <= now < self._owed_last + QUIET
        is_late = not self._owed_since <= now < self._owed_since + OWED
        return is_quiet or is_late or longest > MOST_OWED

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
            sound = [(one.node_id, one.word) for one in said if one.wrong is None]
            knowing = known(db, sound, now=now)
            for one in said:
                report_id = self._take_word(db, one, now, knowing)
                if report_id is not None:
                    safe.append((one.node_id, report_id))
            write_changes(db)
        if safe:
            self._owed_last = self._clock()  # it may have taken long
            self._owed_since = self._owed_since if self._owed else self._owed_last
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
            word = read_word(node_id, delivery)
        except RefusedError as error:
            self._refuse(db, node_id, delivery, error, now)
            return None
        return Said(node_id, word, delivery, _wrong(word))

    def _take_word(self, db: Session, said: Said, now: datetime, knowing: Known) -> str | None:
        try:
            if said.wrong is not None:
                raise said.wrong
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
        """Tell the time to those who have asked; if nobody can sign it, they ask again."""
        if self._asked:
            asked, self._asked = self._asked, {}
            self._answer(lambda key: reports.times(asked, clock=self._clock, key=key))

    def _answer(self, signed: Callable[[SigningKey], Iterable[tuple[str, bytes]]]) -> None:
        """Send nodes what a key that they believe in this matter has signed."""
        try:
            with reading(self._sessions) as db:
                key = self._keyring.configuring_key(db, now=self._clock())
        except KeyMissingError as error:
            log.error("answers_not_signed", error=str(error))  # noqa: TRY400 - no trace needed
            return
        for topic, payload in signed(key):
            self._link.publish(topic, payload, retained=False)


def _wrong(word: NodeWord) -> RefusedError | None:
    try:
        check(word)
    except RefusedError as error:
        return error
    return None


def _nonce(said: Said) -> str:
    """Give what a node asks the time with; who asked in a retained birth waits no more."""
    word = said.word
    if said.delivery.retained or not isinstance(word, Presence | Telemetry):
        return ""
    return word.nonce if len(word.nonce) >= SHORTEST_NONCE else ""


def next_batch(deliveries: queue.Queue[Delivery], within_s: float) -> list[Delivery]:
    """Wait a little for a delivery, then take what else is there."""
    batch: list[Delivery] = []
    try:
        batch.append(deliveries.get(timeout=within_s))
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
