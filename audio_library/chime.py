"""The chimes before and after an announcement, made of bell tones.

The notes lie between 500 and 3200 Hz with their overtones, where horn loudspeakers carry far.
"""

import numpy as np

from audio_library.assets import RATE_HZ
from audio_library.decode import Samples

_PEAK = 0.5
_RISE_S = 0.004
_FALL_S = 0.08
# Partial, share, and how much faster than the fundamental it dies away.
_PARTIALS = ((1.0, 1.0, 1.0), (2.0, 0.45, 1.6), (3.0, 0.2, 2.4), (4.0, 0.1, 3.4))

_C5_HZ, _E5_HZ, _G5_HZ = 523.25, 659.26, 783.99


def opening_chime() -> Samples:
    """Make three rising bell tones, 1.9 s: somebody is about to speak."""
    return _bells(((0.0, _C5_HZ), (0.36, _E5_HZ), (0.72, _G5_HZ)), length_s=1.9, decay_s=0.4)


def closing_chime() -> Samples:
    """Make two falling bell tones, 1.2 s: the announcement is over."""
    return _bells(((0.0, _G5_HZ), (0.34, _C5_HZ)), length_s=1.2, decay_s=0.28)


def _bells(notes: tuple[tuple[float, float], ...], *, length_s: float, decay_s: float) -> Samples:
    at_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    sound = np.zeros_like(at_s)
    for start_s, pitch_hz in notes:
        first = int(start_s * RATE_HZ)
        sound[first:] += _bell(at_s[: len(at_s) - first], pitch_hz, decay_s)
    sound *= np.clip((length_s - at_s) / _FALL_S, 0.0, 1.0)
    sound *= _PEAK / np.abs(sound).max()
    return sound.astype(np.float32)


def _bell(at_s: np.ndarray, pitch_hz: float, decay_s: float) -> np.ndarray:
    tone = np.zeros_like(at_s)
    for ratio, share, haste in _PARTIALS:
        ring = np.exp(-at_s * haste / decay_s)
        tone += share * ring * np.sin(2 * np.pi * ratio * pitch_hz * at_s)
    return tone * np.clip(at_s / _RISE_S, 0.0, 1.0)
