"""What was heard, held against what was sent."""

import numpy as np
import pytest

from edge.listening.frames import FRAMES_PER_S, RATE_HZ, decibels, frame_powers, hum
from edge.listening.judging import judge
from protocol.messages import SoundVerdict
from tests.factories.hearing import (
    around,
    in_the_village,
    judged,
    late,
    level,
    mains,
    pink,
    speech,
    white,
)

QUIET = np.zeros(2 * RATE_HZ, np.float32)
USUAL_DB = -20.0


def programme(seconds=12.0, dbfs=-20.0, seed=1):
    """Two seconds of silence, and speech."""
    return np.concatenate([QUIET, level(speech(seconds, seed), dbfs)])


def noise_over(sound, snr_db, kind=pink, seed=9):
    """Make noise so much softer than a sound, in the band of the horn."""
    noise = kind(len(sound) / RATE_HZ, seed)
    ratio = frame_powers(sound).mean() / frame_powers(noise).mean()
    return (noise * np.sqrt(ratio) / 10 ** (snr_db / 20)).astype(np.float32)


@pytest.mark.parametrize("snr_db", [30, 6, 0])
@pytest.mark.parametrize("by_s", [0.0, 0.74, 1.9])
@pytest.mark.parametrize("kind", [white, pink])
def test_speech_is_found_in_noise_with_its_delay_and_its_level(snr_db, by_s, kind):
    sent = programme()
    heard = in_the_village(late(sent, by_s)) * 0.1
    found = judged(sent, heard + noise_over(heard, snr_db, kind))
    assert found.verdict is SoundVerdict.HEARD
    assert found.delay_s == pytest.approx(by_s, abs=0.04)
    assert found.gain_db == pytest.approx(USUAL_DB, abs=2.5)
    assert found.level_db == pytest.approx(found.sent_db + found.gain_db)


def test_half_a_minute_of_speech_is_found_under_noise_of_twice_its_amplitude():
    sent = programme(30.0)
    heard = in_the_village(late(sent, 0.3)) * 0.1
    found = judged(sent, heard + noise_over(heard, -6))
    assert (found.verdict, round(found.delay_s, 1)) == (SoundVerdict.HEARD, 0.3)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", [white, pink, speech])
@pytest.mark.parametrize("seconds", [3.0, 12.0])
def test_noise_and_other_voices_alone_are_never_taken_for_the_sound(seed, kind, seconds):
    sent = programme(seconds, seed=seed)
    noise = level(kind(seconds + 2, seed + 50), -45.0)
    found = judged(sent, noise, USUAL_DB)
    assert found.verdict is SoundVerdict.SILENT_HORN
    assert found.delay_s is found.gain_db is None


def test_a_silent_microphone_line_says_that_the_horn_was_silent():
    sent = programme()
    assert judged(sent, np.zeros_like(sent), USUAL_DB).verdict is SoundVerdict.SILENT_HORN


def test_what_noise_may_have_covered_is_left_open():
    sent = programme()
    found = judged(sent, level(pink(14), -10.0), USUAL_DB)
    assert found.verdict is SoundVerdict.UNCLEAR


def test_a_node_that_does_not_know_its_place_does_not_cry_at_the_first_noise():
    sent = programme()
    assert judged(sent, level(pink(14), -30.0)).verdict is SoundVerdict.UNCLEAR


@pytest.mark.parametrize(
    ("gain", "verdict"), [(0.1, SoundVerdict.HEARD), (0.025, SoundVerdict.TOO_QUIET)]
)
def test_much_less_than_usual_is_too_quiet(gain, verdict):
    sent = programme()
    heard = in_the_village(sent) * gain + level(pink(14), -70.0)
    assert judged(sent, heard, USUAL_DB).verdict is verdict


@pytest.mark.parametrize("at_hz", [50.0, 49.9])
@pytest.mark.parametrize("also", [0.0, 0.02])
def test_mains_hum_that_is_louder_than_the_sound_is_buzzing(also, at_hz):
    sent = programme()
    heard = in_the_village(sent) * also + level(mains(14, at_hz), -25.0)
    assert judged(sent, heard, USUAL_DB).verdict is SoundVerdict.BUZZING


def test_hum_below_the_sound_is_no_buzzing():
    sent = programme()
    heard = in_the_village(sent) * 0.1 + level(mains(14), -60.0)
    assert judged(sent, heard, USUAL_DB).verdict is SoundVerdict.HEARD


def test_a_microphone_that_clips_hears_the_sound_all_the_same():
    sent = programme()
    heard = np.clip(in_the_village(late(sent, 0.2)) * 40, -1, 1)
    assert judged(sent, heard).verdict is SoundVerdict.HEARD


def test_a_steady_tone_is_found_by_its_beginning():
    at_s = np.arange(8 * RATE_HZ) / RATE_HZ
    tone = 0.1 * np.sin(2 * np.pi * 1000 * at_s).astype(np.float32)
    sent = np.concatenate([QUIET, tone])
    found = judged(sent, late(sent, 0.5) * 0.1 + level(pink(10), -60.0))
    assert (found.verdict, found.delay_s) == (SoundVerdict.HEARD, pytest.approx(0.5, abs=0.04))


@pytest.mark.parametrize("seed", range(6))
def test_steady_noise_is_found_by_its_beginning_wherever_its_frames_lie(seed):
    sent = np.concatenate([QUIET, level(white(6.0, seed), -30.0)])
    heard = late(sent, 0.05 + 0.0137 * seed) + level(pink(8, seed), -60.0)
    found = judged(sent, heard, 0.0)
    assert (found.verdict, found.correlation > 0.9) == (SoundVerdict.HEARD, True)


def test_of_steady_sound_that_neither_begins_nor_ends_nothing_is_said():
    sent = level(white(10.0), -30.0)
    frames = frame_powers(sent)
    silent = around(np.zeros_like(sent), len(frames))
    assert judge(frames, silent, [], USUAL_DB).verdict is SoundVerdict.UNCLEAR


def test_steady_sound_is_not_called_silent_where_its_beginning_was_not_listened_to():
    sent = np.concatenate([QUIET, level(white(6.0), -30.0)])
    frames = around(np.concatenate([QUIET, level(white(6.0, 2), -30.0)]), len(sent) // 160)
    frames[: 3 * FRAMES_PER_S] = np.nan
    assert judge(frame_powers(sent), frames, [], 0.0).verdict is SoundVerdict.UNCLEAR


def test_sound_that_drops_out_for_a_third_of_the_time_is_still_found():
    sent = programme(12.0)
    heard = in_the_village(sent) * 0.1 + level(white(14), -70.0)
    frames = around(heard, len(sent) // 160)
    frames[4 * FRAMES_PER_S : 8 * FRAMES_PER_S] = np.nan
    assert judge(frame_powers(sent), frames, [], USUAL_DB).verdict is SoundVerdict.HEARD


@pytest.mark.parametrize("sent", [np.zeros(8 * RATE_HZ, np.float32), programme(0.5)])
def test_of_too_little_sound_nothing_is_told(sent):
    assert judged(sent, sent) is None


def test_where_nobody_listened_nothing_is_told():
    sent = programme()
    frames = around(sent, len(sent) // 160)
    frames[: len(frames) * 2 // 3] = np.nan
    assert judge(frame_powers(sent), frames, [], USUAL_DB) is None


def test_power_is_that_of_the_band_of_horns_and_hum_is_that_of_the_mains():
    at_s = np.arange(RATE_HZ) / RATE_HZ
    inside, outside = (np.sin(2 * np.pi * hz * at_s).astype(np.float32) for hz in (1000, 100))
    assert decibels(float(frame_powers(inside).mean())) == pytest.approx(-3.0, abs=0.1)
    assert decibels(float(frame_powers(outside).mean())) < -60
    assert hum(outside) == (pytest.approx(1.0), pytest.approx(-3.0, abs=0.1))
    assert hum(inside)[0] < 0.01
    assert hum(np.zeros(RATE_HZ, np.float32)) == (0.0, -120.0)
