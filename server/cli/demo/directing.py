"""Give orders through the HTTP API, note each for the report, and mind the clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event

import structlog

from server.cli.demo.client import Person
from server.cli.demo.report import KIND_URGENT, Order
from server.cli.demo.sources import SourceWriter
from server.cli.errors import CommandError

_LOOK_S = 0.1

log = structlog.get_logger(__name__)


class PerformanceError(CommandError):
    """A headless run could not be performed to its end."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is to be announced.

    Attributes:
        name: Stem of its source.
        digest: What is said.
        before, after: Labels around it, which nodes add of their own accord.
        way: How it came to be, where it is not a file that was sent.
        asked: What else is asked of the API.
    """

    unit_id: str
    name: str
    title: str
    digest: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    way: str = ""
    bulletin_class: str = "priority"
    asked: Mapping[str, object] = field(default_factory=dict)


class Director:
    """Whoever gives the orders of one run."""

    def __init__(self, sources: SourceWriter, stop: Event) -> None:
        self.sources = sources
        self._stop = stop
        self._orders: list[Order] = []

    @property
    def orders(self) -> Sequence[Order]:
        """All that was ordered until now."""
        return tuple(self._orders)

    def note(self, order: Order) -> None:
        """Note an order that was given."""
        self._orders.append(order)

    def announce(self, person: Person, wanted: Announcement) -> Order:
        """Announce something."""
        posted_at = datetime.now(UTC)
        answer = person.announce(
            unit_id=wanted.unit_id,
            title=wanted.title,
            bulletin_class=wanted.bulletin_class,
            asset_digest=wanted.digest,
            units=[wanted.unit_id],
            **wanted.asked,
        )
        opening = answer["broadcast"]["opening_digest"]
        items = (*wanted.before, wanted.digest, *wanted.after)
        source = self.sources.write(person, wanted.name, items, opening)
        first = [opening] if opening else []
        order = Order(
            id=answer["broadcast_id"],
            kind=KIND_URGENT,
            way=wanted.way,
            bulletin_class=wanted.bulletin_class,
            source=source,
            speech_at=sum(map(self.sources.length_s, (*first, *wanted.before))),
            targets=tuple(answer["clusters"]),
            posted_at=posted_at,
        )
        self.note(order)
        log.info("announced", unit_id=wanted.unit_id, broadcast_id=order.id, way=wanted.way)
        return order

    def stop_order(self, person: Person, order: Order) -> None:
        """Stop an announcement."""
        stopped = order.stopped(datetime.now(UTC))
        person.stop(order.id)
        self._orders[self._orders.index(order)] = stopped
        log.info("stopped", broadcast_id=order.id)

    def wait_for(self, condition: Callable[[], bool], within_s: float, what: str) -> None:
        """Wait until something holds.

        Raises:
            PerformanceError: It does not, for so long.
        """
        if not self.happens(condition, within_s):
            raise PerformanceError(f"not within {within_s:.0f} s: {what}")

    def happens(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Wait until something holds; False when it does not, for so long."""
        deadline = datetime.now(UTC) + timedelta(seconds=within_s)
        while not condition():
            if datetime.now(UTC) > deadline:
                return False
            self.sleep_until(datetime.now(UTC) + timedelta(seconds=_LOOK_S))
        return True

    def sleep_until(self, instant: datetime) -> None:
        """Wait for an instant.

        Raises:
            PerformanceError: Whoever asked for the run no longer wants it.
        """
        left_s = (instant - datetime.now(UTC)).total_seconds()
        if left_s > 0 and self._stop.wait(left_s):
            raise PerformanceError("the run was interrupted")
