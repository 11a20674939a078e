"""What was heard held against what was sent: found again, how loud, how late, or not at all.

The two are compared by how their loudness moves, which survives horns, echoes and a microphone
whose clock is off, where the samples themselves would not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.listening.frames import FRAMES_PER_S, Powers, decibels
from protocol.messages import SoundVerdict

MOST_LATE_S = 2.0
"""What is heard later than this is not looked for: 680 m of air, or a slow amplifier."""

MOST_EARLY_S = 0.1
"""Both instants are measured, and may be wrong by a little."""

LEAST_SOUND_S = 1.0
"""Of less sound than this nothing is told."""

QUIET_DB = 10.0
"""So much less than at this place before is too quiet."""

_LEAST_SENT_DB = -55.0
_LEAST_HUM_DB = -50.0
_HUM_SHARE = 0.5
_LATEST = round(MOST_LATE_S * FRAMES_PER_S)
_EARLIEST = round(-MOST_EARLY_S * FRAMES_PER_S)
_SMOOTH = FRAMES_PER_S
_MOVES = 0.15
_LEAST_COVERED = 0.5
_SURE = 1.25
"""Over one second; of 160 stretches of noise of 4 to 120 s none came nearer to speech than 0.95."""
_LEAST_CORRELATION = 0.12
_MOST_NEEDED = 0.9
_STEADY_NEEDED = 0.6
_NO_SIZE = 1e-9
_UNPROVEN = 0.2
_LONG_S = 30.0
_NOISE_BORNE_DB = 6.0
_LOUD_DB = -20.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is made of a stretch of sound.

    Attributes:
        sent_db: How loud the sound was that was sent, against full scale.
        level_db: How loud it was heard; where it was not found, how loud all was that was heard.
        gain_db: The difference, where it was found; None elsewhere.
        correlation: How well what was heard follows what was sent, 0 to 1.
        delay_s: How much later it was heard; None where it was not found.
    """

    verdict: SoundVerdict
    sent_db: float
    level_db: float
    correlation: float
    gain_db: float | None = None
    delay_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Match:
    correlation: float
    lag: int
    gain: float


def frames_around(first: int, end: int) -> tuple[int, int]:
    """Tell which heard frames are needed to judge the sent frames from ``first`` to ``end``."""
    return first + _EARLIEST, end + _LATEST


def judge(
    sent: Powers, heard: Powers, hums: Sequence[tuple[float, float]], usual_gain_db: float | None
) -> Judgement | None:
    """Judge a stretch of sound; None where too little was sent, or listened to.

    Args:
        sent: Power of each frame that was sent.
        heard: That of each that was heard, ``frames_around`` those; not a number: nobody listened.
        hums: Share and level of mains hum in each second that was heard.
        usual_gain_db: What is heard at this place against what is sent, where that is known.
    """
    sounding = sent > 10 ** (_LEAST_SENT_DB / 10)
    seconds = float(sounding.sum()) / FRAMES_PER_S
    at_once = heard[-_EARLIEST : len(sent) - _EARLIEST]
    listened = sounding & ~np.isnan(at_once)
    if seconds < LEAST_SOUND_S or listened.sum() < _LEAST_COVERED * sounding.sum():
        return None
    sent_db = decibels(float(sent[sounding].mean()))
    all_db = decibels(float(at_once[listened].mean()))
    moves = _moves(sent, sounding)
    match = _match(sent, heard, moves=moves)
    needed = min(_MOST_NEEDED, max(_LEAST_CORRELATION, _SURE / math.sqrt(seconds)))
    if not moves:
        needed = max(needed, _STEADY_NEEDED)
    is_found = match.correlation >= needed and match.gain > 0
    gain_db = decibels(match.gain)
    level_db = sent_db + gain_db if is_found else all_db
    if _hums(hums, level_db if is_found else None):
        verdict = SoundVerdict.BUZZING
    elif is_found:
        is_low = usual_gain_db is not None and gain_db < usual_gain_db - QUIET_DB
        verdict = SoundVerdict.TOO_QUIET if is_low else SoundVerdict.HEARD
    elif not moves and (~sounding & ~np.isnan(at_once)).sum() < _SMOOTH:
        # Steady for all the time that somebody listened: there is nothing to tell it by.
        verdict = SoundVerdict.UNCLEAR
    elif _would_be_found(sent_db, all_db, usual_gain_db, seconds, needed):
        verdict = SoundVerdict.SILENT_HORN
    else:
        verdict = SoundVerdict.UNCLEAR
    return Judgement(
        verdict,
        sent_db,
        level_db,
        max(0.0, match.correlation),
        gain_db if is_found else None,
        match.lag / FRAMES_PER_S if is_found else None,
    )


def _would_be_found(
    sent_db: float, all_db: float, usual_gain_db: float | None, seconds: float, needed: float
) -> bool:
    """Say whether sound as loud as ever would have been found among all that was heard."""
    if usual_gain_db is None:
        return needed <= _UNPROVEN and all_db < _LOUD_DB
    borne_db = _NOISE_BORNE_DB if seconds >= _LONG_S else 0.0
    return all_db < sent_db + usual_gain_db + borne_db


def _hums(hums: Sequence[tuple[float, float]], found_db: float | None) -> bool:
    """Say whether mains hum is most of what was heard, and more than what was sent."""
    if not hums:
        return False
    share, level_db = (float(np.median(values)) for values in zip(*hums, strict=True))
    is_louder = found_db is None or level_db > found_db
    return share > _HUM_SHARE and level_db > _LEAST_HUM_DB and is_louder


def _moves(sent: Powers, sounding: NDArray[np.bool_]) -> bool:
    """Say whether the sound moves within itself, its beginning and its end left out."""
    (places,) = np.nonzero(sounding)
    inside = slice(places[0] + _SMOOTH // 2, max(places[-1] + 1 - _SMOOTH // 2, 0))
    loudness = np.sqrt(sent)
    within = _moving(loudness)[inside]
    return len(within) > 0 and float(within.std()) > _MOVES * float(loudness[inside].mean())


def _match(sent: Powers, heard: Powers, *, moves: bool) -> _Match:
    """Find the delay at which what was heard follows best what was sent.

    Steady sound has only its beginning and its end; of all else slow changes are left out, for a
    passing lorry makes such too.
    """
    loudness = np.sqrt(sent)
    moving = _moving if moves else np.asarray
    is_heard = ~np.isnan(heard)
    filled = np.where(is_heard, heard, np.nanmean(heard))
    one, other = moving(loudness), moving(np.sqrt(filled))
    correlations = _correlations(one, other, is_heard)
    at = int(correlations.argmax())
    gain = _slope(moving(sent), moving(filled)[at : at + len(sent)], is_heard[at : at + len(sent)])
    return _Match(float(correlations[at]), at + _EARLIEST, gain)


def _moving(values: Powers) -> Powers:
    """Leave out what changes slower than in a second."""
    padded = np.pad(values, (_SMOOTH // 2, _SMOOTH - 1 - _SMOOTH // 2), mode="reflect")
    summed = np.cumsum(np.concatenate(([0.0], padded)))
    smooth = (summed[_SMOOTH:] - summed[:-_SMOOTH]) / _SMOOTH
    moving: Powers = (values - smooth).astype(np.float32)
    return moving


def _correlations(one: Powers, other: Powers, counts: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Correlate ``one`` with each stretch of ``other`` as long as itself, where that counts."""
    size = len(other) + len(one)
    masked = np.where(counts, other, 0.0)
    ones, values, squares = (
        np.conj(np.fft.rfft(part, size)) for part in (np.ones(len(one)), one, np.square(one))
    )
    valid, heard, heard_squares = (
        np.fft.rfft(part, size) for part in (counts.astype(float), masked, np.square(masked))
    )
    lags = len(other) - len(one) + 1
    pairs = (
        (ones, valid),
        (values, valid),
        (squares, valid),
        (ones, heard),
        (ones, heard_squares),
        (values, heard),
    )
    count, x, xx, y, yy, xy = (np.fft.irfft(a * b, size)[:lags] for a, b in pairs)
    count = np.maximum(count, 1.0)
    sizes = (xx - x * x / count) * (yy - y * y / count)
    is_enough = (count >= FRAMES_PER_S) & (sizes > _NO_SIZE * float(xx.max() * yy.max()))
    found: NDArray[np.float64] = np.where(
        is_enough, (xy - x * y / count) / np.sqrt(np.where(is_enough, sizes, 1.0)), 0.0
    )
    return found


def _slope(one: Powers, other: Powers, counts: Powers) -> float:
    one, other = one[counts], other[counts]
    one = one - one.mean()
    size = float(np.dot(one, one))
    return float(np.dot(one, other)) / size if size > 0 else 0.0
