"""Links by telephone on a bad day, before a broker or a web server: late and lossy, or slow.

MQTT runs over TCP: what a link loses is sent again, and all that comes behind it waits. So a loss
is a delay here: a whole retransmission timeout, as RFC 6298 works it out for such a link, and
twice as much when the repetition is lost too. TCP of today often mends sooner.
"""

import asyncio
import random
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

JITTER_S = 0.2
"""Each part takes between nothing and so long."""

LOSS = 0.05
TIMEOUT_S = 0.4
"""Smoothed round trip of 0.2 s, and the least that Linux adds for its variation, 0.2 s."""

SLOW_BYTES_PER_S = 20_000
"""At this a programme of an hour takes ten minutes."""

_PART_BYTES = 1_400
_HOST = "127.0.0.1"

Carry = Callable[[StreamReader, StreamWriter], Awaitable[None]]
"""Takes what comes from one end to the other until either is closed."""


@dataclass
class Links:
    """Forwards connections: what is asked is carried one way, what is answered another."""

    asking: Carry
    answering: Carry
    opening_s: float = 0.0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __call__(self, port: int) -> int:
        """Open a port that leads to another one of this machine."""

        async def opened() -> asyncio.Server:
            return await asyncio.start_server(
                lambda asked, answer: self._serve(port, asked, answer), _HOST, 0
            )

        server = asyncio.run_coroutine_threadsafe(opened(), self._loop).result(5)
        return server.sockets[0].getsockname()[1]

    def to_address(self, address: str) -> str:
        """Open an address of the web that leads to another one of this machine."""
        there = address.split("/")[2]
        return address.replace(there, f"{_HOST}:{self(int(there.split(':')[1]))}")

    def run(self) -> None:
        self._loop.run_forever()
        under_way = asyncio.all_tasks(self._loop)
        for task in under_way:
            task.cancel()
        if under_way:
            self._loop.run_until_complete(asyncio.gather(*under_way, return_exceptions=True))
        self._loop.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self, port: int, asked: StreamReader, answer: StreamWriter) -> None:
        await asyncio.sleep(self.opening_s)
        try:
            reader, writer = await asyncio.open_connection(_HOST, port)
        except ConnectionError:
            # Whom it leads to is not there yet, and the caller comes again.
            answer.close()
            return
        with suppress(asyncio.CancelledError):  # at the end; Python 3.11 would complain of it
            async with asyncio.TaskGroup() as both:
                both.create_task(_carried(self.asking, asked, writer))
                both.create_task(_carried(self.answering, reader, answer))


@contextmanager
def bad_links() -> Iterator[Links]:
    """Give a maker of ports that lead to others late, unevenly and with losses."""
    chance = random.Random(20)  # noqa: S311 - the same bad day every time

    async def badly(source: StreamReader, sink: StreamWriter) -> None:
        """Carry parts one way, each no earlier than the one before it."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sending = asyncio.ensure_future(_sent(waiting, sink))
        try:
            while part := await source.read(_PART_BYTES):
                due_s = asyncio.get_running_loop().time() + _way_s(chance)
                waiting.put_nowait((due_s, part))
        finally:
            waiting.put_nowait((0.0, b""))
            await sending

    with _running(Links(badly, badly)) as links:
        yield links


@dataclass
class Line:
    """One direction of a telephone's link: all connections share its width.

    Attributes:
        bytes_per_s: How much goes through.
        way_s: How long each part is on its way behind that.
        carried: How many bytes have gone in.
    """

    bytes_per_s: float
    way_s: float
    carried: int = 0
    _free_s: float = 0.0

    async def carry(self, source: StreamReader, sink: StreamWriter) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sending = asyncio.ensure_future(_sent(waiting, sink))
        try:
            while part := await source.read(_PART_BYTES):
                self.carried += len(part)
                now_s = asyncio.get_running_loop().time()
                self._free_s = max(now_s, self._free_s) + len(part) / self.bytes_per_s
                waiting.put_nowait((self._free_s + self.way_s, part))
        finally:
            waiting.put_nowait((0.0, b""))
            await sending


@contextmanager
def phone_links(up: Line, down: Line) -> Iterator[Links]:
    """Give a maker of addresses behind one telephone's link; opening a connection takes a turn."""
    with _running(Links(up.carry, down.carry, opening_s=up.way_s + down.way_s)) as links:
        yield links


@contextmanager
def slow_links() -> Iterator[Links]:
    """Give a maker of addresses that answer no faster than a bad link would."""

    async def at_once(source: StreamReader, sink: StreamWriter) -> None:
        while part := await source.read(_PART_BYTES):
            sink.write(part)
            await sink.drain()

    async def slowly(source: StreamReader, sink: StreamWriter) -> None:
        while part := await source.read(_PART_BYTES):
            sink.write(part)
            await sink.drain()
            await asyncio.sleep(len(part) / SLOW_BYTES_PER_S)

    with _running(Links(at_once, slowly)) as links:
        yield links


@contextmanager
def _running(links: Links) -> Iterator[Links]:
    thread = Thread(target=links.run, daemon=True)
    thread.start()
    try:
        yield links
    finally:
        links.close()
        thread.join()


async def _carried(carry: Carry, source: StreamReader, sink: StreamWriter) -> None:
    try:
        await carry(source, sink)
    except ConnectionError:
        return
    finally:
        sink.close()


async def _sent(waiting: asyncio.Queue[tuple[float, bytes]], sink: StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due_s, part = await waiting.get()
        if not part:
            return
        await asyncio.sleep(due_s - loop.time())
        sink.write(part)
        await sink.drain()


def _way_s(chance: random.Random) -> float:
    way_s, timeout_s = chance.uniform(0, JITTER_S), TIMEOUT_S
    while chance.random() < LOSS:
        way_s, timeout_s = way_s + timeout_s, 2 * timeout_s
    return way_s
