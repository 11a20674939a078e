"""Chimes and music made from nothing."""

import numpy as np
import pytest

from audio_library.assets import RATE_HZ
from audio_library.chime import closing_chime, opening_chime
from audio_library.music import melody


def _correlation(samples):
    """Correlate a piece with itself; 1.0 at no shift."""
    spectrum = np.fft.rfft(samples, 2 * len(samples))
    whole = np.fft.irfft(np.abs(spectrum) ** 2)[: len(samples)]
    return whole / whole[0]


def test_a_seed_gives_the_same_piece_for_ever():
    assert np.array_equal(melody(7, 3.0), melody(7, 3.0))


def test_two_seeds_give_two_pieces():
    one, other = melody(1, 3.0), melody(2, 3.0)
    likeness = abs(float(one @ other)) / float(np.linalg.norm(one) * np.linalg.norm(other))
    assert likeness < 0.3


@pytest.mark.parametrize("seed", range(2))
def test_a_piece_is_found_again_at_one_place_only(seed):
    piece = melody(seed, 10.0)
    elsewhere = np.abs(_correlation(piece)[RATE_HZ // 10 :])
    assert elsewhere.max() < 0.5


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.234])
def test_a_piece_is_as_long_as_asked(seconds):
    assert len(melody(1, seconds)) == round(seconds * RATE_HZ)


def test_music_sounds_throughout():
    blocks = melody(3, 20.0).reshape(-1, RATE_HZ // 2)
    assert np.sqrt((blocks**2).mean(axis=1)).min() > 0.01


@pytest.mark.parametrize(("chime", "length_s"), [(opening_chime, 1.9), (closing_chime, 1.2)])
def test_a_chime_begins_and_ends_without_a_click(chime, length_s):
    sound = chime()
    assert len(sound) == round(length_s * RATE_HZ)
    assert abs(sound[0]) < 1e-3
    assert abs(sound[-1]) < 1e-3
    assert np.abs(sound).max() == pytest.approx(0.5)


def test_the_opening_chime_strikes_three_rising_notes():
    sound = opening_chime()
    heard_hz = []
    for start_s in (0.02, 0.38, 0.74):
        part = sound[int(start_s * RATE_HZ) :][: int(0.3 * RATE_HZ)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 17))
        heard_hz.append(np.argmax(spectrum) * RATE_HZ / (1 << 17))
    assert heard_hz == pytest.approx([523.25, 659.26, 783.99], rel=0.01)
