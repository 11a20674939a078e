"""The nightly test tone: when it may sound, and what is made of it."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Protocol, final

import structlog

from edge.disk import write_whole
from edge.errors import EdgeError
from edge.listening.chirp import LENGTH_S, wav
from edge.player import Piece, Player, Sound
from edge.playout import Playout
from edge.settings import ListeningInput

_log = structlog.get_logger()

TEST_TONE = "test-tone"
HEARD_FOR_S = 3.0
"""So long after its beginning the tone may still come: its own second, and the most it is late."""

LOCAL = timezone(timedelta(hours=7))
"""Viet Nam has one time all year round."""

_SPREAD_S = 900
_TRIED_FOR = timedelta(hours=6)
_UNDISTURBED = timedelta(seconds=15)
_AGAIN = timedelta(minutes=10)
_LEAD_S = 1.0
_GIVEN_UP = timedelta(minutes=1)


def night_of(at: time, node: str, now: datetime) -> datetime:
    """Tell when the newest test fell due: each night at a time, and a quarter of an hour at most.

    Neighbours must not be heard for each other: how much later is the node's own.
    """
    local = now.astimezone(LOCAL)
    due = datetime.combine(local.date(), at, LOCAL)
    due += timedelta(seconds=zlib.crc32(node.encode()) % _SPREAD_S)
    return (due if due <= local else due - timedelta(days=1)).astimezone(UTC)


def is_due(night: datetime, tested_at: datetime | None, now: datetime) -> bool:
    """Say whether this night's test is still to be made."""
    return now < night + _TRIED_FOR and (tested_at is None or tested_at < night)


def is_free(playout: Playout, now: datetime) -> bool:
    """Say whether nothing sounds or is about to, and nobody has ordered silence."""
    if playout.current is not None or playout.upcoming is not None or not playout.keeps_schedule:
        return False
    soon = now + _UNDISTURBED
    is_silent = any(
        each.covers(now) or each.covers(soon) for each in playout.programme.policy.closed
    )
    return not is_silent and not any(
        playing.start < soon and now < playing.end
        for key, playing in playout.times.items()
        if key not in playout.done
    )


class Amplified(Protocol):
    """An amplifier that can be powered."""

    def power(self, *, on: bool) -> None:
        """Power it, or cut it after its cool-down."""


@dataclass(frozen=True, slots=True)
class Loudspeaker:
    """What sounds the tone.

    Attributes:
        node: The node's id.
        lead_s: Time the amplifier needs before it passes sound.
    """

    node: str
    player: Player
    amplifier: Amplified
    lead_s: float = 0.0


@final
class ToneTest:
    """Plays the tone in a free moment, and has it looked for.

    Args:
        setup: When it falls due, and how quiet it is.
        loudspeaker: What sounds it.
        file: Where the tone lies.
        heard: Looks for a tone that began at an instant; given that and the time.
    """

    def __init__(
        self,
        setup: ListeningInput,
        loudspeaker: Loudspeaker,
        file: Path,
        heard: Callable[[datetime, datetime], None],
    ) -> None:
        self._at, self._gain_db, self._file = setup.tone_at, setup.tone_db, file
        self._node, self._player = loudspeaker.node, loudspeaker.player
        self._amplifier, self._heard = loudspeaker.amplifier, heard
        self._lead_s = max(_LEAD_S, loudspeaker.lead_s + _LEAD_S / 2)
        self._begins: datetime | None = None
        self._is_over = False
        self._not_before: datetime | None = None

    def look(self, playout: Playout, tested_at: datetime | None, now: datetime) -> None:
        """Do what is to be done now; called every second.

        Args:
            playout: What sounds.
            tested_at: When the last tone was played that was looked for.
            now: The time; one that is not trusted is not to be asked with.
        """
        if self._begins is not None:
            self._go_on(self._begins, playout, now)
            return
        if self._at is None or (self._not_before is not None and now < self._not_before):
            return
        night = night_of(self._at, self._node, now)
        if is_due(night, tested_at, now) and is_free(playout, now):
            self._begin(playout, now)

    def _go_on(self, begins: datetime, playout: Playout, now: datetime) -> None:
        if playout.current is not None or playout.amplified:
            # Somebody else has the loudspeaker, and the amplifier with it.
            self._give_up(now)
        elif abs(now - begins) > _GIVEN_UP:
            # The clock was moved meanwhile.
            self._amplifier.power(on=False)
            self._give_up(now)
        elif now >= begins + timedelta(seconds=HEARD_FOR_S + _LEAD_S):
            self._begins = None
            self._heard(begins, now)
        elif now >= begins + timedelta(seconds=LENGTH_S) and not self._is_over:
            self._is_over = True
            self._amplifier.power(on=False)

    def _begin(self, playout: Playout, now: datetime) -> None:
        begins = now + timedelta(seconds=self._lead_s)
        gain_db = min(self._gain_db, playout.programme.ceiling_db)
        sound = Sound(TEST_TONE, begins, (Piece(self._file, 0.0, LENGTH_S),), LENGTH_S, gain_db)
        try:
            if not self._file.exists():
                write_whole(self._file, wav())
            self._player.cue(sound)
        except (OSError, EdgeError) as error:
            _log.warning("test_tone_failed", error=str(error))
            self._give_up(now)
            return
        self._amplifier.power(on=True)
        self._begins, self._is_over = begins, False
        _log.info("test_tone_began", at=begins.isoformat())

    def _give_up(self, now: datetime) -> None:
        self._begins, self._not_before = None, now + _AGAIN
