"""The agent's queue. A flood from the network neither fills the memory nor holds up what is grave.

Few messages wait on a good day, and none of this costs them anything. Where many do, each is
verified before it may wait too, until no more come: what would be refused, or is held already, is
dropped here, and a stop, a silence or an emergency goes ahead of all that waits. Where too many
wait that are genuine, these alone may still come in: so many can only be ordered by whoever has a
stolen key.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from enum import Enum, auto
from queue import SimpleQueue
from typing import Generic, TypeVar, final

from edge.link import Delivery

T = TypeVar("T")

MANY, MANY_BYTES = 200, 4_000_000
TOO_MANY, TOO_MANY_BYTES = 1000, 16_000_000

CALM_S = 1.0
"""A flood is over when so long no message has come that was dropped."""

_MOST_TOPICS = 20


class Worth(Enum):
    """What is to become of a message while many wait."""

    NOTHING = auto()
    ITS_TURN = auto()
    THE_FIRST = auto()


@final
class Inbox(Generic[T]):
    """A queue on which every thread may put, one alone messages of the link, and one takes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._flooded_until_s = clock, 0.0
        # A signal's handler may put while the same thread takes; only this kind allows that.
        self._queue: SimpleQueue[T | Delivery | None] = SimpleQueue()
        self._first: deque[Delivery] = deque()
        self._ahead: set[bytes] = set()
        self._judge: Callable[[Delivery], Worth] = lambda _delivery: Worth.ITS_TURN
        # The link's thread counts what came, the agent's what it took: neither waits for the other.
        self._came = self._came_bytes = self._took = self._took_bytes = 0
        self._counting = threading.Lock()
        self._dropped: Counter[str] = Counter()

    def judge_by(self, judge: Callable[[Delivery], Worth]) -> None:
        """Say who judges messages while many wait; it is asked in the link's thread."""
        self._judge = judge

    def put(self, event: T | Delivery) -> None:
        """Let something wait for its turn, unless it is one message too many."""
        if not isinstance(event, Delivery):
            self._queue.put(event)
            return
        match self._worth(event):
            case Worth.NOTHING:
                self._drop(event)
            case Worth.ITS_TURN:
                self._came += 1
                self._came_bytes += len(event.payload)
                self._queue.put(event)
            case Worth.THE_FIRST:
                if event.payload not in self._ahead:
                    self._ahead.add(event.payload)
                    self._first.append(event)
                    # Whoever waits for something is to look.
                    self._queue.put(None)

    def get(self, timeout: float) -> T | Delivery:
        """Take what goes first, or raise ``queue.Empty`` when nothing has come for so long."""
        while True:
            if self._first:
                first = self._first.popleft()
                self._ahead.discard(first.payload)
                return first
            event = self._queue.get(timeout=timeout)
            if event is None:
                continue
            if isinstance(event, Delivery):
                self._took += 1
                self._took_bytes += len(event.payload)
            return event

    def empty(self) -> bool:
        """Say whether nothing waits."""
        return not self._first and self._queue.empty()

    def take_dropped(self) -> Counter[str]:
        """Tell how many messages were dropped since this was asked last, by topic."""
        with self._counting:
            dropped, self._dropped = self._dropped, Counter()
        return dropped

    def _worth(self, delivery: Delivery) -> Worth:
        waiting = self._came - self._took
        waiting_bytes = self._came_bytes - self._took_bytes
        are_many = waiting >= MANY or waiting_bytes >= MANY_BYTES
        if not are_many and (not self._flooded_until_s or self._clock() > self._flooded_until_s):
            self._flooded_until_s = 0.0
            return Worth.ITS_TURN
        worth = self._judge(delivery)
        is_room = waiting < TOO_MANY and waiting_bytes < TOO_MANY_BYTES
        if worth is Worth.NOTHING or (worth is Worth.ITS_TURN and not is_room):
            # While they come the agent need not see any: it would take time from all the others.
            self._flooded_until_s = self._clock() + CALM_S
            return Worth.NOTHING
        return worth

    def _drop(self, delivery: Delivery) -> None:
        with self._counting:
            is_known = delivery.topic in self._dropped or len(self._dropped) < _MOST_TOPICS
            self._dropped[delivery.topic[:200] if is_known else ""] += 1
