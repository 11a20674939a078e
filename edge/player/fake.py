"""A player that sounds nothing: it remembers what was cued and lets a test drive the world."""

from datetime import datetime
from pathlib import Path
from typing import final

from edge.errors import PlayerClosedError, Stall
from edge.player import (
    Damaged,
    Died,
    Ended,
    EventSink,
    Piece,
    Sound,
    Stalled,
    Started,
    check_sound,
)

SILENCE_DBFS = -120.0


@final
class FakePlayer:
    """Behaves as a player does towards its owner, with events when the test says so.

    Attributes:
        cues: Every sound ever cued, oldest first.
        hushes: How often silence was asked for.
        level: What ``level_dbfs`` answers.
    """

    def __init__(self, events: EventSink) -> None:
        self.cues: list[Sound] = []
        self.hushes = 0
        self.level = SILENCE_DBFS
        self._events = events
        self._sounding: Sound | None = None
        self._waiting: Sound | None = None
        self._over: str | None = None

    @property
    def sounding(self) -> Sound | None:
        """What a listener hears."""
        return self._sounding

    @property
    def waiting(self) -> Sound | None:
        """What was cued and has not been started by the test."""
        return self._waiting

    @property
    def closed(self) -> bool:
        """Whether the player was closed or has died."""
        return self._over is not None

    def cue(self, sound: Sound) -> None:
        """Remember a sound; the same claim and begin as what sounds exchanges its pieces."""
        check_sound(sound)
        self._refuse_over()
        self.cues.append(sound)
        if self._sounding is not None and _same(self._sounding, sound):
            self._sounding, self._waiting = sound, None
        else:
            self._waiting = sound

    def hush(self) -> None:
        """Drop everything cued."""
        self._refuse_over()
        self.hushes += 1
        self._sounding = self._waiting = None

    def level_dbfs(self) -> float:
        """Tell the level the test has set."""
        return self.level

    def close(self) -> None:
        """Refuse everything from now on."""
        self._over = self._over or "it was closed"
        self._sounding = self._waiting = None

    def start(self, at: datetime) -> None:
        """Let the waiting sound be heard from ``at`` on, joined by the clock when it is late."""
        if self._waiting is None:
            raise AssertionError("nothing is waiting to start")
        sound = self._sounding = self._waiting
        self._waiting = None
        position_s = max(0.0, (at - sound.begins).total_seconds())
        self._events.put(Started(sound.claim_id, at, position_s))

    def finish(self, at: datetime) -> None:
        """Let what sounds reach its length."""
        sound = self._heard()
        self._sounding = None
        self._events.put(Ended(sound.claim_id, at))

    def damage(self, path: Path, reason: str) -> None:
        """Let a piece of what sounds, or waits, fail to decode."""
        sound = self._sounding or self._waiting
        files = sound.pieces if sound else ()
        if sound is None or path not in {file.path for file in files if isinstance(file, Piece)}:
            raise AssertionError(f"{path} is no piece of what is cued")
        self._events.put(Damaged(sound.claim_id, path, reason))

    def stall(self, at: datetime, reason: Stall) -> None:
        """Let the station of what sounds fall silent by itself."""
        self._events.put(Stalled(self._heard().claim_id, at, reason))

    def recover(self, at: datetime) -> None:
        """Let the station of what sounds be heard again."""
        sound = self._heard()
        self._events.put(Started(sound.claim_id, at, (at - sound.begins).total_seconds()))

    def die(self, reason: str) -> None:
        """Let the player end by itself."""
        self._over = reason
        self._sounding = self._waiting = None
        self._events.put(Died(reason))

    def _heard(self) -> Sound:
        if self._sounding is None:
            raise AssertionError("nothing sounds")
        return self._sounding

    def _refuse_over(self) -> None:
        if self._over is not None:
            raise PlayerClosedError(self._over)


def _same(one: Sound, other: Sound) -> bool:
    return one.claim_id == other.claim_id and one.begins == other.begins
