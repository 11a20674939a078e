"""What the loudspeakers are told to do, and what was heard of it."""

from typing import final

import structlog

from edge.cache import Cache
from edge.parts import Parts
from edge.player import Microphone, Piece, Sound, Station
from edge.playout import Amplifier, Cue, Hush, Order, Tell
from edge.runs import CuedMicrophone, CuedPiece, CuedRelay, CuedSound
from protocol.messages import AsRun, ClaimReport

_log = structlog.get_logger()


@final
class Sounding:
    """Brings player and amplifier in line with what was judged."""

    def __init__(self, parts: Parts) -> None:
        self._player, self._amplifier = parts.player, parts.amplifier
        self._cache, self._delay, self._listening = parts.cache, parts.delay, parts.listening

    def obey(self, order: Order) -> None:
        """Carry out one order of the judgement."""
        match order:
            case Cue():
                self._player.cue(sound_of(order, self._cache))
            case Hush():
                self._player.hush()
            case Amplifier(on):
                self._amplifier.power(on=on, linger_s=self._delay.lasts_s)
            case Tell(word):
                _log.info("told", kind=type(word).__name__, claim_id=word.claim_id)

    def delay_by(self, lasts_s: float) -> None:
        """Let all be heard so much later than by the clock."""
        self._delay.lasts_s = lasts_s

    def attested(self, order: Tell) -> ClaimReport:
        """Say in a record what was heard of its claim, where somebody listens."""
        word = order.word
        if not isinstance(word, AsRun):
            return word
        return self._listening.attested(word, self._delay.now())


def sound_of(cue: Cue, cache: Cache) -> Sound:
    """Name the files of a cue by where they lie."""
    pieces = tuple(_piece(cued, cache) for cued in cue.pieces)
    return Sound(cue.key, cue.begins, pieces, cue.length_s, cue.gain_db)


def _piece(cued: CuedSound, cache: Cache) -> Piece | Station | Microphone:
    match cued:
        case CuedPiece(digest, offset_s, duration_s):
            return Piece(cache.path(digest), offset_s, duration_s)
        case CuedRelay(url, offset_s, duration_s):
            return Station(url, offset_s, duration_s)
        case CuedMicrophone(key, offset_s, duration_s):
            return Microphone(key, offset_s, duration_s)
