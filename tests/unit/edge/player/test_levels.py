import numpy as np
import pytest

from edge.player.levels import FADE, SILENCE_DBFS, Limiter, Meter, Ramp, to_samples
from edge.player.output import RATE_HZ
from tests.factories.sounds import noise, tone

CEILING = 10 ** (-1 / 20)


@pytest.mark.parametrize("level", [0.2, 0.9, 1.5, 8.0, 1000.0])
def test_nothing_passes_the_limiter_above_minus_1_dbfs(level):
    limiter = Limiter()
    sound = noise(2.0, level=level)
    limited = np.concatenate([limiter.limit(block) for block in np.split(sound, 100)])
    assert np.abs(limited).max() <= CEILING + 1e-6
    assert np.abs(to_samples(limited)).max() <= 32_767 * CEILING + 1


def test_the_limiter_leaves_what_fits_alone():
    sound = tone(0.02, level=0.85)
    assert np.array_equal(Limiter().limit(sound), sound)


def test_the_limiter_lets_go_after_a_loud_moment():
    limiter = Limiter()
    limiter.limit(tone(0.02, level=3.0))
    quiet = tone(0.02, level=0.1)
    assert np.abs(limiter.limit(quiet)).max() < 0.06
    for _ in range(50):
        after = limiter.limit(quiet)
    assert np.allclose(after, quiet)


def test_a_steady_loud_tone_is_turned_down_and_not_cut_flat():
    limiter = Limiter()
    sound = tone(0.2, hertz=500, level=2.0)
    blocks = [limiter.limit(block) for block in np.split(sound, 10)]
    settled = np.concatenate(blocks[2:])
    share_at_the_ceiling = np.mean(np.abs(settled) > 0.999 * CEILING)
    # A sine spends 2.8 % of its time above 99.9 % of its peak; one cut flat would spend 70 %.
    assert share_at_the_ceiling < 0.05


def test_a_ramp_takes_50_ms_whatever_the_blocks():
    ramp = Ramp(1.0, 1.0)
    ramp.aim(0.0)
    gains = np.concatenate([ramp.take(500) for _ in range(5)])
    assert gains[0] == 1.0
    assert np.abs(np.diff(gains)).max() == pytest.approx(1 / FADE, rel=1e-3)
    assert np.count_nonzero(gains) == 0.050 * RATE_HZ
    assert ramp.silent


def test_a_ramp_holds_before_it_moves():
    ramp = Ramp(0.0, 1.0)
    gains = ramp.take(960, hold=400)
    assert np.all(gains[:400] == 0.0)
    assert gains[960 - 1] == pytest.approx(559 / FADE, rel=1e-3)


def test_the_meter_tells_the_rms_of_the_last_half_second():
    meter = Meter()
    assert meter.dbfs() == SILENCE_DBFS
    for block in np.split(to_samples(tone(1.0, hertz=500, level=0.5)), 50):
        meter.add(block)
    assert meter.dbfs() == pytest.approx(-9.03, abs=0.02)
    meter.rest(12_000)
    assert meter.dbfs() == pytest.approx(-12.04, abs=0.2)
    meter.rest(24_000)
    assert meter.dbfs() == SILENCE_DBFS
