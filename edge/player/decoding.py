"""The thread that decodes ahead: always the piece whose reader would run dry first."""

import threading
from typing import final

from edge.player.life import Life, Vigil
from edge.player.timeline import AnyTrack, Timeline

# How often to look whether readers have moved on; what is decoded lasts for seconds.
_LOOK_S = 0.5


@final
class Decoding:
    """Works for every timeline that was added and is not closed yet."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._wake = threading.Condition()
        self._timelines: list[Timeline] = []
        self._unseen = False
        self._opened: set[AnyTrack] = set()
        self._thread = threading.Thread(target=self._run, name="player-decoding", daemon=True)
        self._thread.start()

    def add(self, timeline: Timeline) -> None:
        """Begin to decode towards a timeline's position, now and until it is closed."""
        with self._wake:
            self._timelines.append(timeline)
            self._unseen = True
            self._wake.notify()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread after the player's life is over."""
        with self._wake:
            self._wake.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        with Vigil(self._life):
            while not self._life.over.is_set():
                if not self._work():
                    self._rest()
            for track in self._opened:
                track.release()

    def _work(self) -> bool:
        """Decode a little where it is needed most; tell whether there was need."""
        with self._wake:
            self._unseen = False
            self._timelines = [line for line in self._timelines if not line.closed]
            timelines = tuple(self._timelines)
        self._release_unused(timelines)
        needs = (
            (margin, line.position, track)
            for line in timelines
            for track in line.tracks
            if (margin := track.margin(line.position)) is not None
        )
        most = min(needs, key=lambda need: need[0], default=None)
        if most is None:
            return False
        _, position, track = most
        self._opened.add(track)
        track.advance(position)
        return True

    def _release_unused(self, timelines: tuple[Timeline, ...]) -> None:
        used = {
            track for line in timelines for track in line.tracks if not track.spent(line.position)
        }
        for track in self._opened - used:
            track.release()
        self._opened &= used

    def _rest(self) -> None:
        with self._wake:
            if self._unseen or self._life.over.is_set():
                return
            # Without a timeline only add() and join() can bring work.
            self._wake.wait(_LOOK_S if self._timelines else None)
