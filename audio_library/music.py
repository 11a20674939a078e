"""Music-like material that never repeats: signature tunes, trial programmes, measurements.

Every note has its own length and tuning, so that a recording of a piece can be found again in
time by correlation, and at one place only.
"""

from dataclasses import dataclass

import numpy as np

from audio_library.assets import RATE_HZ
from audio_library.decode import Samples

_PENTATONIC = (0, 2, 4, 7, 9)
_PEAK = 0.7
_FADE_S = 0.03


@dataclass(frozen=True, slots=True)
class Voice:
    """One instrument.

    Attributes:
        lowest_hz: Pitch of the first step of its scale.
        octaves: How far it reaches.
        note_s: Typical length of a note.
        overtones: Strength of each harmonic, the fundamental first.
        attack_s: Time to full strength.
        decay_s: Time constant of dying away.
        level: Its share in the whole.
    """

    lowest_hz: float
    octaves: int
    note_s: float
    overtones: tuple[float, ...]
    attack_s: float
    decay_s: float
    level: float


_VOICES = (
    Voice(440.0, 2, 0.38, (1.0, 0.5, 0.28, 0.15, 0.08), 0.004, 0.35, 1.0),  # plucked
    Voice(587.3, 1, 0.9, (1.0, 0.12, 0.3, 0.05, 0.1), 0.06, 1.6, 0.55),  # bamboo flute
    Voice(110.0, 1, 0.75, (1.0, 0.6, 0.4, 0.2, 0.1, 0.05), 0.01, 0.6, 0.7),  # low string
)


def melody(seed: int, seconds: float) -> Samples:
    """Play ``seconds`` of pentatonic music on three voices; a seed gives one piece for ever."""
    chance = np.random.default_rng(seed)
    length = round(seconds * RATE_HZ)
    sound = np.zeros(length, dtype=np.float64)
    for voice in _VOICES:
        _play(voice, sound, chance)
    ramp = min(length // 2, round(_FADE_S * RATE_HZ))
    if ramp:
        sound[:ramp] *= np.linspace(0.0, 1.0, ramp)
        sound[-ramp:] *= np.linspace(1.0, 0.0, ramp)
    peak = float(np.abs(sound).max(initial=0.0))
    return (sound * (_PEAK / peak if peak else 0.0)).astype(np.float32)


def _play(voice: Voice, sound: np.ndarray, chance: np.random.Generator) -> None:
    step = int(chance.integers(len(_PENTATONIC) * voice.octaves))
    at = 0
    while at < len(sound):
        step = _next_step(step, voice, chance)
        length_s = (
            voice.note_s
            * float(chance.choice((0.5, 1.0, 1.0, 1.5)))
            * (1 + chance.uniform(-0.08, 0.08))
        )
        note = _note(voice, step, length_s * 1.4, chance)[: len(sound) - at]
        sound[at : at + len(note)] += note
        at += round(length_s * RATE_HZ)


def _next_step(step: int, voice: Voice, chance: np.random.Generator) -> int:
    top = len(_PENTATONIC) * voice.octaves
    return int(np.clip(step + chance.integers(-3, 4), 0, top))


def _note(voice: Voice, step: int, length_s: float, chance: np.random.Generator) -> np.ndarray:
    octave, degree = divmod(step, len(_PENTATONIC))
    semitones = 12 * octave + _PENTATONIC[degree] + chance.normal(0.0, 0.04)
    pitch_hz = voice.lowest_hz * 2 ** (semitones / 12)
    at_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    tone = np.zeros_like(at_s)
    for number, strength in enumerate(voice.overtones, start=1):
        phase = chance.uniform(0, 2 * np.pi)
        ring = np.exp(-at_s * (0.6 + 0.4 * number) / voice.decay_s)
        tone += strength * ring * np.sin(2 * np.pi * number * pitch_hz * at_s + phase)
    rise = np.clip(at_s / voice.attack_s, 0.0, 1.0)
    fall = np.clip((length_s - at_s) / 0.05, 0.0, 1.0)
    return tone * rise * fall * (voice.level * chance.uniform(0.7, 1.0))
