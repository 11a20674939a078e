"""The port of the node's sound engine, and the values that cross it.

Implemented by ``edge.player.engine.MixerPlayer`` on a real or recording output, and by
``edge.player.fake.FakePlayer`` for tests.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from edge.errors import NaiveInstantError, PieceOrderError, SoundLengthError, Stall

# Pieces laid end to end by sums of rounded lengths may overlap by less than anyone can hear.
_OVERLAP_FORGIVEN_S = 0.001


@dataclass(frozen=True, slots=True)
class Piece:
    """One file within a sound.

    Attributes:
        path: The audio file; it may not exist yet, or be damaged.
        offset_s: Where its first sample lies, from the sound's own zero.
        duration_s: How much of it is heard.
    """

    path: Path
    offset_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Station:
    """A radio station within a sound: it is pulled from its address while it is heard.

    Attributes:
        url: Where its stream is.
        offset_s: Where it begins, from the sound's own zero.
        duration_s: How long it is heard.
    """

    url: str
    offset_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Microphone:
    """Somebody who speaks, within a sound: frames that are heard at instants of their own.

    Attributes:
        name: Which live broadcast it is, as it was armed.
        offset_s: From when it may be heard, from the sound's own zero.
        duration_s: How long it may be heard.
    """

    name: str
    offset_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Sound:
    """Everything the player must know to make one claim heard.

    Attributes:
        claim_id: The claim this is the sound of.
        begins: Wall instant, aware, of position 0; one in the past is joined by the clock.
        pieces: In order and without overlap; what no piece covers is silence.
        length_s: The sound is over at ``begins + length_s``.
        gain_db: Applied to all pieces, never above the player's own maximum.
    """

    claim_id: str
    begins: datetime
    pieces: tuple[Piece | Station | Microphone, ...]
    length_s: float
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Started:
    """A cue is heard: ``at`` is the wall instant of its first sample at the loudspeaker."""

    claim_id: str
    at: datetime
    position_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A sound reached its length; one that was replaced or hushed does not end this way."""

    claim_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Damaged:
    """A piece did not decode, wholly or in part; silence stood in for it and playing went on."""

    claim_id: str
    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Stalled:
    """A station fell silent by itself, or was not there when it was due; ``Started`` may follow."""

    claim_id: str
    at: datetime
    reason: Stall


@dataclass(frozen=True, slots=True)
class Died:
    """A thread of the player ended by itself: nothing will sound, and the process must end."""

    reason: str


PlayerEvent = Started | Stalled | Ended | Damaged | Died


class EventSink(Protocol):
    """Where a player puts its events, oldest first; any queue of the standard library will do."""

    def put(self, item: PlayerEvent, /) -> None:
        """Take one event without blocking the audio thread."""


class Player(Protocol):
    """Makes at most one sound heard at a time, at the wall instants asked for."""

    def cue(self, sound: Sound) -> None:
        """Make this the one sound, cross-fading from what sounds when it begins.

        Until a future ``begins`` the old sound goes on. The same claim with the same ``begins``
        as what sounds exchanges its pieces without a cut and without another ``Started``.

        Raises:
            EdgeError: The sound is malformed, or the player is closed or dead.
        """

    def hush(self) -> None:
        """Fade to silence now and drop everything cued."""

    def level_dbfs(self) -> float:
        """Tell how loud the last half second was; -120.0 is silence."""

    def close(self) -> None:
        """Stop sounding and release the device; closing twice is harmless."""


def check_sound(sound: Sound) -> None:
    """Refuse a sound no player can play truthfully.

    Raises:
        NaiveInstantError: ``begins`` has no time zone.
        SoundLengthError: A number is infinite, not a number, or negative where it must not be.
        PieceOrderError: A piece begins before the one ahead of it ends.
    """
    if sound.begins.tzinfo is None or sound.begins.utcoffset() is None:
        raise NaiveInstantError(sound.claim_id, sound.begins)
    _check_number(sound.claim_id, "length_s", sound.length_s, least=0.0)
    _check_number(sound.claim_id, "gain_db", sound.gain_db, least=-200.0)
    free_from_s = 0.0
    for piece in sound.pieces:
        _check_number(sound.claim_id, "offset_s", piece.offset_s, least=0.0)
        _check_number(sound.claim_id, "duration_s", piece.duration_s, least=0.0)
        if piece.offset_s < free_from_s - _OVERLAP_FORGIVEN_S:
            raise PieceOrderError(sound.claim_id, _name(piece), piece.offset_s)
        free_from_s = piece.offset_s + piece.duration_s


def _check_number(claim_id: str, field: str, value: float, *, least: float) -> None:
    if not math.isfinite(value) or value < least:
        raise SoundLengthError(claim_id, field, value)


def _name(piece: Piece | Station | Microphone) -> str:
    match piece:
        case Piece():
            return piece.path.name
        case Station():
            return piece.url
        case Microphone():
            return piece.name
