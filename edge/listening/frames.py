"""Sound as frames of 20 ms: how much power each has in the band that horns sound."""

import math

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8000
FRAME = 160
FRAMES_PER_S = RATE_HZ // FRAME
SILENCE_DB = -120.0
BAND_HZ = (300, 3400)
"""What a horn sounds and a voice is understood by; wind, traffic and mains hum lie below it."""

MAINS_HZ = 50
_HARMONICS = 6
"""The hum of mains is at 50 Hz and its multiples; above 300 Hz little is left of it."""

Powers = NDArray[np.float32]
Sound = NDArray[np.float32]
"""Samples from -1 to 1 at 8 kHz."""

_BINS = slice(BAND_HZ[0] * FRAME // RATE_HZ, BAND_HZ[1] * FRAME // RATE_HZ + 1)
_HUM_BINS = np.concatenate(
    [np.arange(-1, 2) + MAINS_HZ * number for number in range(1, _HARMONICS + 1)]
)


def frame_powers(sound: Sound) -> Powers:
    """Give the power of each whole frame in the band; 1 is that of a full square wave."""
    whole = len(sound) // FRAME * FRAME
    spectra = np.fft.rfft(sound[:whole].reshape(-1, FRAME), axis=1)[:, _BINS]
    powers: Powers = (2 * np.square(np.abs(spectra)).sum(axis=1) / FRAME**2).astype(np.float32)
    return powers


def hum(second: Sound) -> tuple[float, float]:
    """Tell of one second of sound how much of its power is mains hum, from 0 to 1, and in dB."""
    powers = np.square(np.abs(np.fft.rfft(second - second.mean())))
    whole, at_mains = float(powers.sum()), float(powers[_HUM_BINS].sum())
    share = at_mains / whole if whole > 0 else 0.0
    return share, decibels(2 * at_mains / len(second) ** 2)


def decibels(power: float) -> float:
    """Tell a power in dB; nothing is -120."""
    return max(SILENCE_DB, 10 * math.log10(power)) if power > 0 else SILENCE_DB
