"""How much a piece is turned up or down."""

from hypothesis import given
from hypothesis import strategies as st

from audio_library.assets import Loudness
from audio_library.loudness import MAX_GAIN_DB, SILENCE_LUFS, TARGET_LUFS, gain_db, is_silent
from audio_library.transcode import shared_gains_db

levels = st.builds(
    Loudness,
    integrated_lufs=st.floats(SILENCE_LUFS, 12.0),
    peak_dbtp=st.floats(-120.0, 6.0),
)


@given(levels)
def test_the_gain_never_leaves_its_bounds(loudness):
    assert -MAX_GAIN_DB <= gain_db(loudness) <= MAX_GAIN_DB


@given(st.floats(TARGET_LUFS - MAX_GAIN_DB, TARGET_LUFS + MAX_GAIN_DB), st.floats(-60, 6))
def test_within_the_bounds_the_gain_reaches_the_target(integrated_lufs, peak_dbtp):
    gain = gain_db(Loudness(integrated_lufs, peak_dbtp))
    assert abs(integrated_lufs + gain - TARGET_LUFS) < 1e-9


@given(levels, st.floats(0.01, 20.0))
def test_a_louder_piece_is_never_turned_up_more(loudness, louder_by_db):
    louder = Loudness(loudness.integrated_lufs + louder_by_db, loudness.peak_dbtp)
    if not is_silent(loudness):
        assert gain_db(louder) <= gain_db(loudness)


def test_silence_is_left_alone():
    assert gain_db(Loudness(SILENCE_LUFS, -120.0)) == 0.0


def test_a_faint_recording_is_raised_by_15_db_and_no_more():
    assert gain_db(Loudness(-45.0, -30.0)) == 15.0


def test_a_peak_does_not_hold_the_gain_back():
    assert gain_db(Loudness(-20.0, 0.0)) == 4.0


audible = st.builds(
    Loudness, integrated_lufs=st.floats(-60.0, 0.0), peak_dbtp=st.floats(-40.0, 3.0)
)


@given(st.lists(audible, min_size=1, max_size=6))
def test_joined_parts_are_equally_loud_and_stay_below_the_ceiling(parts):
    gains = shared_gains_db(parts)
    after = [part.integrated_lufs + gain for part, gain in zip(parts, gains, strict=True)]
    assert max(after) - min(after) < 1e-9
    assert max(after) <= TARGET_LUFS + 1e-9
    assert all(p.peak_dbtp + g <= -3.0 + 1e-9 for p, g in zip(parts, gains, strict=True))


def test_a_silent_part_does_not_pull_the_others_down():
    voice = Loudness(-20.0, -10.0)
    assert shared_gains_db([voice, Loudness(SILENCE_LUFS, -120.0)]) == (4.0, 0.0)
