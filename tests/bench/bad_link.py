"""A link by telephone on a bad day, between one node and its broker: late, uneven and lossy.

MQTT runs over TCP: what the link loses is sent again, and all that comes behind it waits. So a
loss is a delay here: a whole retransmission timeout, as RFC 6298 works it out for this link, and
twice as much when the repetition is lost too. TCP of today often mends sooner.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

JITTER_S = 0.2
"""Each part takes between nothing and so long."""

LOSS = 0.05
TIMEOUT_S = 0.4
"""Smoothed round trip of 0.2 s, and the least that Linux adds for its variation, 0.2 s."""

_PART_BYTES = 1_400
_HOST = "127.0.0.1"


@contextmanager
def bad_links() -> Iterator["BadLinks"]:
    """Give a maker of ports that lead to others, badly."""
    links = BadLinks()
    thread = Thread(target=links.run, daemon=True)
    thread.start()
    try:
        yield links
    finally:
        links.close()
        thread.join()


class BadLinks:
    """Forwards connections as a bad link would, in both directions."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._random = random.Random(20)  # noqa: S311 - the same bad day every time

    def __call__(self, port: int) -> int:
        async def opened() -> asyncio.Server:
            return await asyncio.start_server(
                lambda asked, answer: self._serve(port, asked, answer), _HOST, 0
            )

        server = asyncio.run_coroutine_threadsafe(opened(), self._loop).result(5)
        return server.sockets[0].getsockname()[1]

    def run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(
        self, port: int, asked: asyncio.StreamReader, answer: asyncio.StreamWriter
    ) -> None:
        try:
            reader, writer = await asyncio.open_connection(_HOST, port)
        except ConnectionError:
            # Whom it leads to is not there yet, and the caller comes again.
            answer.close()
            return
        async with asyncio.TaskGroup() as both:
            both.create_task(self._carried(asked, writer))
            both.create_task(self._carried(reader, answer))

    async def _carried(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Carry parts one way, each no earlier than the one before it."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sending = asyncio.ensure_future(_sent(waiting, sink))
        try:
            while part := await source.read(_PART_BYTES):
                waiting.put_nowait((self._loop.time() + self._way_s(), part))
        except ConnectionError:
            pass
        finally:
            waiting.put_nowait((0.0, b""))
            await sending

    def _way_s(self) -> float:
        way_s, timeout_s = self._random.uniform(0, JITTER_S), TIMEOUT_S
        while self._random.random() < LOSS:
            way_s, timeout_s = way_s + timeout_s, 2 * timeout_s
        return way_s


async def _sent(waiting: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    try:
        while True:
            due_s, part = await waiting.get()
            if not part:
                return
            await asyncio.sleep(due_s - loop.time())
            sink.write(part)
            await sink.drain()
    except ConnectionError:
        return
    finally:
        sink.close()
