"""One station of a sound: a thread of its own pulls it for as long as it is wanted."""

import threading
from collections.abc import Callable, Iterator
from typing import final

import structlog

from edge.errors import Stall, StationError, ThreadDiedError
from edge.player import Station
from edge.player.intake import Intake
from edge.player.output import RATE_HZ
from edge.player.reader import Audio

_log = structlog.get_logger()

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 15.0
# A station that was heard for as long is tried again at once.
_STEADY = 10 * RATE_HZ
_FULL_WAIT_S = 0.1

# Address, and whether nobody wants it any more -> all samples from now on.
Receive = Callable[[str, threading.Event], Iterator[Audio]]


@final
class Tuned:
    """A station as a track: filled by its own thread, read by the audio thread.

    A station that does not answer must not keep the thread that decodes files.
    """

    failed = False

    def __init__(self, piece: Station, receive: Receive) -> None:
        self.piece = piece
        self.start = round(piece.offset_s * RATE_HZ)
        self.length = round(piece.duration_s * RATE_HZ)
        self._receive = receive
        self._intake = Intake()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._stall = Stall.NO_ANSWER

    @property
    def end(self) -> int:
        """First position of the sound after this station."""
        return self.start + self.length

    @property
    def stall(self) -> Stall:
        """Why nothing of it is heard, when that is so."""
        return self._stall

    def ready(self, first: int, last: int) -> bool:
        """Tell whether reading positions ``[first, last)`` would give all there is to give."""
        first, last = first - self.start, min(self.length, last - self.start)
        return last <= 0 or first >= self.length or self._intake.ready(first, last)

    def add_to(self, block: Audio, first: int) -> None:
        """Add what came in to a block beginning at a position of the sound."""
        self._intake.add_to(block, first - self.start)

    def margin(self, position: int) -> int | None:
        """Say 0 when its thread is to be started, or has died; None when nothing is to be done."""
        if position >= self.end:
            return None
        is_at_work = self._thread is not None and self._thread.is_alive()
        return None if is_at_work or self._over.is_set() else 0

    def spent(self, position: int) -> bool:
        """Tell whether a reader has passed it for good."""
        return position >= self.end

    def advance(self, _position: int) -> None:
        """Begin to pull.

        Raises:
            ThreadDiedError: Its thread ended by itself.
        """
        if self._thread is not None:
            raise ThreadDiedError("player-station", "its loop ended")
        self._thread = threading.Thread(target=self._run, name="player-station", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Let the station go; the thread ends when it has noticed."""
        self._over.set()

    def _run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._over.is_set():
            if self._pull() >= _STEADY:
                wait_s = _FIRST_WAIT_S
            self._over.wait(wait_s)
            wait_s = min(_LONGEST_WAIT_S, 2 * wait_s)

    def _pull(self) -> int:
        """Take in all that comes over one connection, and count it."""
        count = 0
        try:
            for chunk in self._receive(self.piece.url, self._over):
                count += len(chunk)
                self._stall = Stall.LOST
                self._intake.take(chunk)
                while self._intake.is_full() and not self._over.wait(_FULL_WAIT_S):
                    pass
                if self._over.is_set():
                    return count
            self._note(Stall.LOST, "it ended")
        except StationError as error:
            self._note(error.stall, error.reason)
        return count

    def _note(self, stall: Stall, reason: str) -> None:
        if not self._over.is_set():
            self._stall = stall
            _log.warning("station_lost", url=self.piece.url, error=f"{stall.value}: {reason}")
