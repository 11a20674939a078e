"""Sound as a microphone before a horn hears it: made up, at 8 kHz."""

import numpy as np

from edge.listening.frames import RATE_HZ, Powers, Sound, frame_powers, hum
from edge.listening.judging import Judgement, frames_around, judge


def level(sound: Sound, dbfs: float) -> Sound:
    """Bring a sound to a level."""
    return (sound * 10 ** (dbfs / 20) / np.sqrt(np.mean(np.square(sound)))).astype(np.float32)


def white(seconds: float, seed: int = 1) -> Sound:
    return np.random.default_rng(seed).normal(0, 1, round(seconds * RATE_HZ)).astype(np.float32)


def pink(seconds: float, seed: int = 1) -> Sound:
    spectrum = np.fft.rfft(white(seconds, seed))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)) / seconds, 20))
    return np.fft.irfft(spectrum, round(seconds * RATE_HZ)).astype(np.float32)


def speech(seconds: float, seed: int = 1) -> Sound:
    """Make syllables of a moving pitch, three to six a second, with pauses between sentences."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE_HZ)
    at_s = np.arange(count) / RATE_HZ
    pitch = 130 + 40 * np.sin(2 * np.pi * 0.7 * at_s + rng.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    voice = sum(np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, 25))
    loudness, place = np.zeros(count), 0
    while place < count:
        length = round(RATE_HZ * rng.uniform(0.12, 0.3))
        if rng.random() > 0.15:
            piece = loudness[place : place + length]
            piece += rng.uniform(0.3, 1.0) * np.hanning(length)[: len(piece)]
        place += length
    return (loudness * (voice + 0.3 * rng.normal(0, 1, count))).astype(np.float32)


def mains(seconds: float, at_hz: float = 50.0) -> Sound:
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    lines = ((1, 0.5), (2, 1.0), (3, 0.7), (6, 0.3))
    return sum(a * np.sin(2 * np.pi * at_hz * k * at_s) for k, a in lines).astype(np.float32)


def late(sound: Sound, by_s: float) -> Sound:
    """Hear a sound later."""
    count = round(by_s * RATE_HZ)
    return np.concatenate([np.zeros(count, np.float32), sound])[: len(sound)]


def in_the_village(sound: Sound, seed: int = 1) -> Sound:
    """Pass a sound through a horn that clips softly, and echoes that die within half a second."""
    rng = np.random.default_rng(seed)
    clipped = np.tanh(sound / 0.7) * 0.7
    echoes = np.zeros(RATE_HZ // 2)
    echoes[0] = 1.0
    places = rng.integers(40, len(echoes), 60)
    echoes[places] += rng.normal(0, 0.35, 60) * 10 ** (-3 * places / len(echoes))
    size = len(sound) + len(echoes)
    heard = np.fft.irfft(np.fft.rfft(clipped, size) * np.fft.rfft(echoes, size), size)
    return heard[: len(sound)].astype(np.float32)


def judged(sent: Sound, heard: Sound, usual_gain_db: float | None = None) -> Judgement | None:
    """Judge a sound with two seconds of silence before it, as a node does."""
    frames = frame_powers(sent)
    return judge(frames, around(heard, len(frames)), hums_of(heard), usual_gain_db)


def around(heard: Sound, count: int) -> Powers:
    powers = frame_powers(np.clip(heard, -1, 1))
    first, end = frames_around(0, count)
    return np.concatenate(
        [np.full(-first, np.nan), powers[:count], np.full(end - count, np.nan)]
    ).astype(np.float32)


def hums_of(heard: Sound) -> list[tuple[float, float]]:
    whole = len(heard) // RATE_HZ * RATE_HZ
    return [hum(second) for second in np.clip(heard[:whole], -1, 1).reshape(-1, RATE_HZ)]
