"""The test tone is found in noise, and in nothing but itself."""

import io
import wave

import numpy as np
import pytest

from edge.listening.chirp import LENGTH_S, LEVEL_DB, chirp, search, tone_verdict, wav
from edge.listening.frames import RATE_HZ
from edge.player.output import RATE_HZ as PLAYED_HZ
from protocol.messages import SoundVerdict
from tests.factories.hearing import in_the_village, level, mains, pink, speech, white

COUNT = 4 * RATE_HZ


def heard(delay_s, gain, seed):
    """Hear a tone in four seconds, through a horn and with echoes."""
    first = round(delay_s * RATE_HZ)
    sound = np.zeros(COUNT, np.float32)
    sound[first : first + RATE_HZ] = chirp()
    return in_the_village(sound, seed) * gain


def noise_over(sound, delay_s, snr_db, kind, seed):
    first = round(delay_s * RATE_HZ)
    power = float(np.square(sound[first : first + RATE_HZ]).mean())
    return level(kind(4, seed), 10 * np.log10(power) - snr_db)


@pytest.mark.parametrize("kind", [white, pink, speech])
def test_a_tone_is_found_at_6_db_below_noise_wherever_it_lies(kind):
    for seed in range(15):
        delay_s = 0.05 + 0.19 * seed
        sound = heard(delay_s, 0.02, seed)
        found = search(sound + noise_over(sound, delay_s, -6.0, kind, seed + 99))
        assert found.is_found, (kind.__name__, seed, found)
        assert found.at_s == pytest.approx(delay_s, abs=0.002)
        assert found.level_db == pytest.approx(LEVEL_DB - 34, abs=5.0)


@pytest.mark.parametrize("kind", [white, pink, speech])
def test_noise_and_voices_alone_are_never_taken_for_the_tone(kind):
    assert not any(search(level(kind(4, seed), -30.0)).is_found for seed in range(40))


def test_hum_clipping_and_silence_are_no_tone():
    assert not search(mains(4)).is_found
    assert not search(np.sign(mains(4) + 0.1 * white(4))).is_found
    assert not search(np.zeros(COUNT, np.float32)).is_found
    assert not search(np.full(COUNT, 0.5, np.float32)).is_found


def test_a_tone_is_found_although_hum_is_forty_times_as_loud_and_the_microphone_clips():
    sound = heard(0.7, 0.02, 1)
    assert search(np.clip(sound + level(mains(4), -2.0), -1, 1)).is_found
    assert search(np.clip(heard(0.7, 30.0, 1), -1, 1)).is_found


@pytest.mark.parametrize("lost_s", [0.2, 0.5])
def test_a_tone_of_which_a_part_was_not_heard_is_found(lost_s):
    sound = heard(0.5, 0.02, 1) + level(pink(4), -60.0)
    sound[RATE_HZ : RATE_HZ + round(lost_s * RATE_HZ)] = 0
    assert search(sound).is_found


@pytest.mark.parametrize(
    ("noise_dbfs", "usual_gain_db", "verdict"),
    [
        (-60.0, None, SoundVerdict.SILENT_HORN),
        (-20.0, None, SoundVerdict.SILENT_HORN),
        (-60.0, -20.0, SoundVerdict.SILENT_HORN),
        (-20.0, -20.0, SoundVerdict.UNCLEAR),
    ],
)
def test_what_was_not_found_is_silent_unless_noise_may_have_covered_it(
    noise_dbfs, usual_gain_db, verdict
):
    found = search(level(pink(4), noise_dbfs))
    assert tone_verdict(found, -30.0, usual_gain_db) is verdict


def test_the_file_is_the_tone_as_any_player_reads_it():
    with wave.open(io.BytesIO(wav())) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, PLAYED_HZ, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(samples) == LENGTH_S * PLAYED_HZ
    assert np.abs(samples).max() < 30_000
    assert samples[0] == 0
