import numpy as np
import pytest

from edge.player.output import RATE_HZ
from edge.player.reader import ClockLock, read_at

BLOCK = 960


class PositionSource:
    """Every sample's value is its own position, so what is heard says where it came from."""

    def read(self, start, count):
        return np.arange(start, start + count, dtype=np.float64)


class VirtualCard:
    """Sounds sample ``k`` at ``began + k / true rate``, whatever anyone believes."""

    def __init__(self, crystal_ppm, *, noise_s=0.0, seed=0):
        self.true_rate_hz = RATE_HZ * (1 + crystal_ppm * 1e-6)
        self.lock = ClockLock()
        self.noise_s = noise_s
        self.random = np.random.default_rng(seed)
        self.began_s = 0.0
        self.written = 0

    def play(self, seconds, *, count=BLOCK):
        """Render block after block; give (true instant, position heard) of each one's start."""
        told = []
        until = self.written + seconds * RATE_HZ
        while self.written < until:
            true_s = self.began_s + self.written / self.true_rate_hz
            span = self.lock.span(true_s + self.random.normal(0, self.noise_s), count)
            heard = read_at(PositionSource(), span.begins_s * RATE_HZ, count, span.pace)
            told.append((true_s, float(heard[0]) / RATE_HZ))
            self.written += count
        return told


def errors_s(told):
    return [position_s - true_s for true_s, position_s in told]


def test_two_cards_140_ppm_apart_sound_the_same_sample_at_the_same_instant():
    fast, slow = VirtualCard(+80, noise_s=1e-4, seed=1), VirtualCard(-60, noise_s=1e-4, seed=2)
    apart = [
        abs(a - b)
        for a, b in zip(errors_s(fast.play(40))[500:], errors_s(slow.play(40))[500:], strict=False)
    ]
    assert max(apart) < 0.0005


@pytest.mark.parametrize("crystal_ppm", [-200, -60, 80, 200])
def test_the_lock_learns_how_wrong_a_crystal_is(crystal_ppm):
    card = VirtualCard(crystal_ppm, noise_s=1e-4)
    told = card.play(60)
    assert card.lock.learned_ppm == pytest.approx(-crystal_ppm, abs=8)
    assert max(map(abs, errors_s(told[-250:]))) < 0.0002
    assert card.lock.jumps == 0


def test_an_honest_card_is_never_bent():
    card = VirtualCard(0)
    assert max(map(abs, errors_s(card.play(10)))) < 1e-7


def test_an_underrun_of_20_ms_is_over_within_a_quarter_second():
    card = VirtualCard(0)
    card.play(5)
    card.began_s += 0.020
    after = errors_s(card.play(1))
    assert abs(after[0]) == pytest.approx(0.020, abs=1e-4)
    assert max(map(abs, after[13:])) < 1e-4
    assert card.lock.jumps == 1


def test_a_clock_set_by_an_hour_is_followed_within_100_ms():
    card = VirtualCard(0)
    card.play(5)
    card.began_s += 3600
    assert max(map(abs, errors_s(card.play(1))[5:])) < 1e-4


def test_3_ms_are_slewed_and_not_jumped():
    card = VirtualCard(0)
    card.play(5)
    card.began_s += 0.003
    after = errors_s(card.play(30))
    assert card.lock.jumps == 0
    assert abs(after[-1]) < 1e-4


def test_one_absurd_report_changes_next_to_nothing():
    card = VirtualCard(0)
    card.play(5)
    told = card.lock.span(card.written / RATE_HZ + 0.5, BLOCK)
    card.written += BLOCK
    assert told.jumped_from_s is None
    assert max(map(abs, errors_s(card.play(2)))) < 1e-5


def test_without_a_measurement_the_lock_goes_on_as_it_has_learned():
    card = VirtualCard(100)
    card.play(60)
    last = card.lock.span(None, BLOCK)
    for _ in range(500):
        span = card.lock.span(None, BLOCK)
    true_s = (card.written + 501 * BLOCK) / card.true_rate_hz
    assert span.ends_s == pytest.approx(true_s, abs=2e-4)
    assert last.jumped_from_s is None


def test_rare_long_rests_keep_the_lock():
    card = VirtualCard(80)
    told = card.play(60, count=RATE_HZ // 2)
    assert max(map(abs, errors_s(told[40:]))) < 0.0005


def test_a_jump_says_where_the_sound_would_have_gone_on():
    lock = ClockLock()
    lock.span(0.0, BLOCK)
    spans = [lock.span(k * 0.020 + 0.010, BLOCK) for k in range(1, 14)]
    (jump,) = [span for span in spans if span.jumped_from_s is not None]
    assert jump.begins_s - jump.jumped_from_s == pytest.approx(0.010, abs=1e-3)


def test_reading_between_samples_follows_the_curve():
    class Sine:
        def read(self, start, count):
            return np.sin(2 * np.pi * 1000 * np.arange(start, start + count) / RATE_HZ)

    got = read_at(Sine(), 100.25, 480, 1.0001)
    at = 100.25 + np.arange(480) * 1.0001
    assert np.abs(got - np.sin(2 * np.pi * 1000 * at / RATE_HZ)).max() < 1e-3


def test_blocks_read_one_after_another_have_no_seam():
    whole = read_at(PositionSource(), 7.3, 1920, 1.0003)
    second = read_at(PositionSource(), 7.3 + 960 * 1.0003, 960, 1.0003)
    assert np.abs(whole[960:] - second).max() < 1e-6
    assert whole[0] == pytest.approx(7.3, abs=1e-6)


def test_a_device_that_lost_its_place_is_followed_at_once():
    lock = ClockLock()
    for k in range(10):
        lock.span(k * 0.020, BLOCK)
    late_s = 10 * 0.020 + 0.014
    told = lock.span(late_s, BLOCK, slipped=True)
    assert told.begins_s == pytest.approx(late_s)
    assert told.jumped_from_s == pytest.approx(10 * 0.020)
    after = lock.span(late_s + 0.020, BLOCK)
    assert after.jumped_from_s is None
    assert after.pace == pytest.approx(1.0, abs=1e-6)
