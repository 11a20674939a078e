"""Whether a player's threads live: the first to end by itself says so, and takes the rest along."""

import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import final

from typing_extensions import override

from edge.errors import EdgeError
from edge.player import Died, EventSink


@final
class Life:
    """Shared by the threads of one player: over once, for one reason."""

    def __init__(self, events: EventSink) -> None:
        self._events = events
        self._lock = threading.Lock()
        self.over = threading.Event()
        self.reason = ""

    def close(self) -> None:
        """End on purpose: nobody needs to be told."""
        self._end("it was closed")

    def perish(self, reason: str) -> None:
        """End by accident: tell the owner, unless the end had come already."""
        if self._end(reason):
            self._events.put(Died(reason))

    def _end(self, reason: str) -> bool:
        with self._lock:
            if self.over.is_set():
                return False
            self.reason = reason
            self.over.set()
            return True


@final
class Vigil(AbstractContextManager["Vigil"]):
    """Wraps a thread's whole work: however it ends, the player's owner hears of it.

    An error of ours is told in full by the event; any other goes on to the interpreter, which
    prints where it happened.
    """

    def __init__(self, life: Life) -> None:
        self._life = life

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        name = threading.current_thread().name
        self._life.perish(f"{name}: {error!r}" if error else f"{name} ended")
        return isinstance(error, EdgeError)
