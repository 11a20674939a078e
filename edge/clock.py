"""The one clock of the program: what it knows of the time, asks of the server, and keeps on disk.

Only the agent's thread changes what is known; every thread may read it.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isinf
from pathlib import Path
from typing import final

from edge.disk import remember, remembered
from edge.machine import Clocks
from edge.timekeeping import (
    ASKED_WITHIN_S,
    Remembered,
    Timekeeping,
    begun,
    pulled,
    told,
    watched,
)
from protocol.messages import ClockSource

ASK_AGAIN_S = 600.0
"""How often a clock that is not kept by the network is compared with the server's."""

_SOON_S = 14.0
_AT_ONCE_S = (1.0, 2.0, 4.0, 5.0)
"""Pauses between questions while a schedule waits for the answer; the last one for all further."""
LONGEST_WAIT_S = 600.0
"""How long a clock that is to be moved waits for silence."""

# Not worth waiting for silence: the player follows without being heard to.
_UNHEARD_S = 0.02
# A clock so wrong is put right whatever sounds.
FAR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Question:
    nonce: str
    asked_s: float


@final
class Clock:
    """The time, with a bound on its error."""

    def __init__(self, machine: Clocks, path: Path) -> None:
        self._machine = machine
        self._path = path
        before = remembered(path, Remembered)
        self._known = begun(
            machine.read(), machine.boot_id, before, has_battery=machine.has_battery
        )
        self._waiting: Timekeeping | None = None
        self._learnt_s = 0.0
        self._question: _Question | None = None
        self._unanswered = 0
        self._newest_s = before.newest_s if before else 0.0

    # -- telling

    def now(self) -> datetime:
        """Tell the time."""
        return datetime.fromtimestamp(self.now_s(), UTC)

    def now_s(self) -> float:
        """Tell the time, in seconds since 1970."""
        return self._known.now_s(self.ticks_s())

    def ticks_s(self) -> float:
        """Count seconds, whatever becomes of the time."""
        return self._machine.ticks_s()

    @property
    def source(self) -> ClockSource:
        """By what the time is known."""
        return self._known.source

    @property
    def is_trusted(self) -> bool:
        """Whether a schedule may be kept by it."""
        return self._known.is_trusted(self._machine.ticks_s())

    @property
    def system_is_right(self) -> bool:
        """Whether the system's clock, which others go by, tells the same time to the minute."""
        reading = self._machine.read()
        return self.is_trusted and abs(reading.wall_s - self.now_s()) < FAR.total_seconds()

    @property
    def bound(self) -> timedelta | None:
        """How wrong it may be at most; None where nothing vouches for it."""
        bound_s = self._known.bound_s(self._machine.ticks_s())
        return None if isinf(bound_s) else timedelta(seconds=bound_s)

    @property
    def newest_issued(self) -> datetime | None:
        """When the newest order was issued that is remembered; None while the time is trusted."""
        return None if self.is_trusted else datetime.fromtimestamp(self._newest_s, UTC)

    # -- learning

    def watch(self) -> None:
        """Look whether the network keeps the system's clock; to be called every few seconds."""
        self._learn(watched(self._waiting or self._known, self._machine.read()))

    def ask(self) -> str:
        """Begin to ask the server; the nonce must go out at once, for the answer's sake."""
        self._unanswered += 1
        self._question = _Question(secrets.token_hex(16), self._machine.ticks_s())
        return self._question.nonce

    @property
    def wants_answer(self) -> bool:
        """Whether it is time to ask the server again."""
        ticks_s = self._machine.ticks_s()
        asked_ago_s = ticks_s - self._question.asked_s if self._question else ASK_AGAIN_S
        if asked_ago_s < self._patience_s() or self._known.is_kept(ticks_s):
            return False
        return self._known.bound_s(ticks_s) > ASKED_WITHIN_S or asked_ago_s >= ASK_AGAIN_S

    def take_answer(self, nonce: str, at: datetime) -> bool:
        """Take the server's time; False when nobody has asked for it, or has not any more."""
        question = self._question
        if question is None or not nonce or not secrets.compare_digest(nonce, question.nonce):
            return False
        self._unanswered = 0
        # Asked no longer, and still remembered for when it was.
        self._question = _Question("", question.asked_s)
        known = self._waiting or self._known
        answered_s = self._machine.ticks_s()
        self._learn(told(known, at.timestamp(), asked_s=question.asked_s, answered_s=answered_s))
        return True

    def take_issued(self, issued_at: datetime) -> None:
        """Note when an order was issued that was found good."""
        self._newest_s = max(self._newest_s, issued_at.timestamp())

    def pull(self, issued_at: datetime) -> None:
        """Go by an order that has just come, while nothing vouches for the time."""
        self._known = pulled(self._known, issued_at.timestamp(), self._machine.ticks_s())

    # -- moving

    def step_due(self, *, is_silent: bool) -> timedelta | None:
        """Tell by how much the clock is to be moved now; None: it is not.

        What is heard goes by the clock: it is moved in silence, unless it is far off or there is
        no silence for long, or nobody vouched for it: by such a clock nothing scheduled sounds.
        """
        if self._waiting is None:
            return None
        by = timedelta(seconds=self._waiting.delta_s - self._known.delta_s)
        is_overdue = self._machine.ticks_s() - self._learnt_s >= LONGEST_WAIT_S
        if is_silent or is_overdue or abs(by) > FAR or not self.is_trusted:
            return by
        return None

    def step(self) -> None:
        """Move the clock to what has been learnt."""
        if self._waiting is not None:
            self._known, self._waiting = self._waiting, None

    def keep(self) -> None:
        """Put on disk what is known, for the next life; a disk that takes nothing is told of."""
        known, reading = self._known, self._machine.read()
        ticks_s = reading.ticks_s
        bound_s = known.bound_s(ticks_s)
        memory = Remembered(
            boot_id=self._machine.boot_id,
            delta_s=known.delta_s,
            source=known.source,
            error_s=None if isinf(bound_s) else bound_s,
            measured_s=ticks_s,
            known_s=known.now_s(ticks_s),
            wall_s=reading.wall_s,
            newest_s=self._newest_s,
        )
        remember(self._path, memory)

    def _patience_s(self) -> float:
        if self.is_trusted or self._waiting is not None:
            return _SOON_S
        return _AT_ONCE_S[min(self._unanswered, len(_AT_ONCE_S)) - 1]

    def _learn(self, known: Timekeeping) -> None:
        if abs(known.delta_s - self._known.delta_s) <= _UNHEARD_S:
            self._known, self._waiting = known, None
        else:
            if self._waiting is None:
                self._learnt_s = self._machine.ticks_s()
            self._waiting = known
