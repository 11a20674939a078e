"""The microphone of the box: soon, whole, and never twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.player.near import NearSpeech
from edge.player.output import RATE_HZ
from tests.factories.sounds import lag_s, noise

BLOCK, PIECE = 960, 960
US = 1e6 / RATE_HZ


def heard(near, pieces, *, since=0, pace=1.0, lags=lambda _number: False):
    """Read a block for each piece that comes, as a mixer does: with a little of the one before."""
    out = []
    for number, piece in enumerate(pieces, since):
        near.take(piece)
        if lags(number):
            continue
        block = np.zeros(BLOCK + 4, dtype=np.float32)
        near.add_to(block, (1e15 + (number * BLOCK * pace - 1) * US))
        out.append(block[1 : BLOCK + 1])
    return np.concatenate(out)


def pieces_of(sound):
    return np.split(sound[: len(sound) // PIECE * PIECE], len(sound) // PIECE)


def test_what_is_spoken_is_heard_whole_an_eighth_of_a_second_later():
    said = noise(3.0)
    out = heard(NearSpeech(), pieces_of(said))
    first = np.flatnonzero(out)[0]
    assert first / RATE_HZ < 0.16
    at = round(lag_s(said, out[first + 960 : first + 96_000]) * RATE_HZ)
    whole = out[first + 240 :]
    expected = said[at - 960 + 240 :][: len(whole)]
    assert np.allclose(whole[: len(expected)], expected, atol=1e-6)


def test_it_is_as_loud_as_the_profile_says():
    said = noise(1.0)
    quiet, loud = (heard(NearSpeech(gain), pieces_of(said)) for gain in (0.0, 6.0206))
    assert np.allclose(loud, 2 * quiet, atol=1e-4)


def test_a_recorder_that_stops_is_silence_after_a_soft_end_and_is_heard_again():
    near, said = NearSpeech(), np.full(RATE_HZ, 0.5, dtype=np.float32)
    nothing = [np.zeros(0, dtype=np.float32)] * 50
    spoken = heard(near, pieces_of(said))
    silent = heard(near, nothing, since=50)
    again = heard(near, pieces_of(said), since=100)
    assert (spoken[-1], silent[-1], again[-1]) == (0.5, 0.0, 0.5)
    # No step anywhere that anybody could hear as a click.
    assert np.abs(np.diff(np.concatenate((spoken, silent, again)))).max() < 0.01


@settings(max_examples=30)
@given(st.sampled_from([0.9995, 1.0, 1.0005]), st.integers(0, 20), st.integers(1, 40))
def test_no_sample_is_heard_twice_whatever_crystal_and_pauses_there_are(pace, pause, after):
    # A ramp: what is heard of it may leave something out, and never goes back.
    ramp = np.arange(1, 150 * PIECE + 1, dtype=np.float32)
    out = heard(
        NearSpeech(),
        pieces_of(ramp),
        pace=pace,
        lags=lambda number: after <= number < after + pause,
    )
    inner = out[np.abs(np.diff(out, prepend=0)) <= 2]
    steady = inner[inner > 0]
    assert (np.diff(steady) >= -1).all()


@pytest.mark.parametrize("pace", [0.999, 1.001])
def test_it_stays_near_whichever_crystal_is_the_faster_one(pace):
    ramp = np.arange(1, 1500 * PIECE + 1, dtype=np.float32)
    out = heard(NearSpeech(), pieces_of(ramp), pace=pace)
    behind = np.arange(1, len(out) + 1) - out
    late = behind[RATE_HZ:][out[RATE_HZ:] > 0]
    assert np.median(late) < 0.45 * RATE_HZ
