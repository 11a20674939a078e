"""What was heard held against what was sent: found again, how loud, how late, or not at all.

The two are compared by how their loudness moves, which survives horns, echoes and a microphone
whose clock is off, where the samples themselves would not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    match = _match(sent, heard)
    needed = min(_MOST_NEEDED, max(_LEAST_CORRELATION, _SURE / math.sqrt(seconds)))
    is_found = match.correlation >= needed and match.gain > 0
    gain_db = decibels(match.gain)
    level_db = sent_db + gain_db if is_found else all_db
    if _hums(hums, level_db if is_found else None):
        verdict = SoundVerdict.BUZZING
    elif is_found:
        is_low = usual_gain_db is not None and gain_db < usual_gain_db - QUIET_DB
        verdict = SoundVerdict.TOO_QUIET if is_low else SoundVerdict.HEARD
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


def _match(sent: Powers, heard: Powers) -> _Match:
    """Find the delay at which what was heard follows best what was sent."""
    loudness = np.sqrt(sent)
    mean = float(loudness.mean())
    # Steady sound has only its beginning and its end; else slow changes, which a passing lorry
    # makes too, are left out.
    moves = float(np.std(_moving(loudness))) > _MOVES * mean
    moving = _moving if moves else np.asarray
    is_heard = ~np.isnan(heard)
    filled = np.where(is_heard, heard, np.nanmean(heard))
    one, other = moving(loudness), moving(np.sqrt(filled))
    best = max(
        (
            (_correlation(one, other[at : at + len(one)], is_heard[at : at + len(one)]), at)
            for at in range(_LATEST - _EARLIEST + 1)
        ),
        default=(0.0, 0),
    )
    at = best[1]
    gain = _slope(moving(sent), moving(filled)[at : at + len(sent)], is_heard[at : at + len(sent)])
    return _Match(best[0], at + _EARLIEST, gain)


def _moving(values: Powers) -> Powers:
    """Leave out what changes slower than in a second."""
    padded = np.pad(values, (_SMOOTH // 2, _SMOOTH - 1 - _SMOOTH // 2), mode="reflect")
    summed = np.cumsum(np.concatenate(([0.0], padded)))
    smooth = (summed[_SMOOTH:] - summed[:-_SMOOTH]) / _SMOOTH
    moving: Powers = (values - smooth).astype(np.float32)
    return moving


def _correlation(one: Powers, other: Powers, counts: Powers) -> float:
    one, other = one[counts], other[counts]
    if len(one) < FRAMES_PER_S:
        return 0.0
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt(np.dot(one, one) * np.dot(other, other)))
    return float(np.dot(one, other)) / size if size > 0 else 0.0


def _slope(one: Powers, other: Powers, counts: Powers) -> float:
    one, other = one[counts], other[counts]
    one = one - one.mean()
    size = float(np.dot(one, one))
    return float(np.dot(one, other)) / size if size > 0 else 0.0
