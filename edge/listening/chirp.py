"""A tone that rises for a second through the band of horns, and how it is found again in noise."""

import struct
from dataclasses import dataclass

import numpy as np

from edge.listening.frames import RATE_HZ, SILENCE_DB, Sound, decibels
from edge.player.output import RATE_HZ as PLAYED_HZ
from protocol.messages import SoundVerdict

LENGTH_S = 1.0
FOUND = 12.0
"""The peak stands so far above the middle of the filter's answer; of 900 stretches of noise and
voices, 4 s each, none came above 9.7."""

_FROM_HZ, _TO_HZ = 500.0, 3500.0
_PEAK = 0.9
_EDGE_S = 0.02
_BAND_HZ = (450.0, 3600.0)
_SMOOTH_HZ = 30.0
_DEEPEST_DB = 30.0
"""Nothing is found so far below noise; where a hum begins and ends there are traces of all."""

_NOISE_BORNE_DB = 15.0
"""In noise that is so much louder the tone is found all the same."""


@dataclass(frozen=True, slots=True)
class Search:
    """What the filter says of some seconds of sound.

    Attributes:
        score: How far the best place stands out.
        at_s: Where the chirp begins there, from the beginning of the sound.
        level_db: How loud it is.
        noise_db: How loud all of the sound is, in the chirp's band.
    """

    score: float
    at_s: float
    level_db: float
    noise_db: float

    @property
    def is_found(self) -> bool:
        """Whether it is the chirp, and not chance."""
        return self.score >= FOUND and self.level_db >= self.noise_db - _DEEPEST_DB


def chirp(rate_hz: int = RATE_HZ) -> Sound:
    """Make the tone."""
    at_s = np.arange(round(LENGTH_S * rate_hz)) / rate_hz
    phase = _FROM_HZ * at_s + (_TO_HZ - _FROM_HZ) * np.square(at_s) / (2 * LENGTH_S)
    edge = np.minimum(1.0, np.minimum(at_s, LENGTH_S - at_s) / _EDGE_S)
    sound: Sound = (_PEAK * np.sin(np.pi / 2 * edge) * np.sin(2 * np.pi * phase)).astype(np.float32)
    return sound


def wav() -> bytes:
    """Make the file that is played."""
    body = np.rint(chirp(PLAYED_HZ) * 32_767).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, PLAYED_HZ, PLAYED_HZ * 2, 2, 16)
    data = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(body))
    return b"RIFF" + struct.pack("<I", 4 + len(data) + len(body)) + b"WAVE" + data + body


LEVEL_DB = decibels(float(np.square(chirp()).mean()))
"""How loud the tone is before any gain."""


def tone_verdict(found: Search, gain_db: float, usual_gain_db: float | None) -> SoundVerdict:
    """Say what became of a tone.

    Args:
        found: What the filter says of what was heard.
        gain_db: With which gain it was played.
        usual_gain_db: What is heard at this place against what is sent, where that is known.
    """
    if found.is_found:
        return SoundVerdict.HEARD
    expected_db = None if usual_gain_db is None else LEVEL_DB + gain_db + usual_gain_db
    is_covered = expected_db is not None and found.noise_db > expected_db + _NOISE_BORNE_DB
    return SoundVerdict.UNCLEAR if is_covered else SoundVerdict.SILENT_HORN


def search(heard: Sound) -> Search:
    """Look for the tone in some seconds of sound.

    All frequencies of its band count alike, however loud the noise is at each: so neither a hum
    nor a voice outweighs the rest.
    """
    tone = chirp()
    size = len(heard) + len(tone)
    spectrum, wanted = np.fft.rfft(heard, size), np.conj(np.fft.rfft(tone, size))
    at_hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    inside = (at_hz >= _BAND_HZ[0]) & (at_hz <= _BAND_HZ[1])
    answer = np.fft.irfft(np.where(inside, _evened(spectrum, size) * wanted, 0), size)
    answer = np.abs(answer[: max(1, len(heard) - len(tone) + 1)])
    best, middle = int(answer.argmax()), float(np.median(answer))
    # Twice, as the other half of the spectrum is left out.
    noise = 2 * float(np.square(np.abs(spectrum[inside])).sum()) / size / len(heard)
    if middle == 0:
        return Search(0.0, 0.0, SILENCE_DB, decibels(noise))
    part = heard[best : best + len(tone)]
    gain = float(np.dot(part, tone[: len(part)])) / float(np.dot(tone, tone))
    return Search(
        float(answer[best]) / middle, best / RATE_HZ, LEVEL_DB + decibels(gain**2), decibels(noise)
    )


def _evened(spectrum: np.ndarray, size: int) -> np.ndarray:
    loudness = np.abs(spectrum)
    width = 2 * round(_SMOOTH_HZ * size / RATE_HZ / 2) + 1
    smooth = np.convolve(loudness, np.ones(width) / width, "same")
    floor = float(smooth.max()) * 1e-9
    return spectrum / (smooth + floor) if floor > 0 else spectrum
