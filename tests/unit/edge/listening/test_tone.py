"""When the test tone sounds: at night, alone, and never where silence was ordered."""

from dataclasses import replace
from datetime import time, timedelta
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.listening.tone import TEST_TONE, Loudspeaker, ToneTest, is_due, is_free, night_of
from edge.player.fake import FakePlayer
from edge.playout import OnDisk, Playout, Programme, step
from edge.runs import key_of
from edge.settings import ListeningInput
from protocol.messages import Claim
from protocol.policy import Policy
from tests.factories.claims import CLUSTER, NOON, a_claim, an_interval, at
from tests.factories.playouts import files_of

FOUR = time(4, 0)
S = timedelta(seconds=1)
SONG = a_claim()
"""From noon to ten past."""


def a_playout(now, *claims: Claim, **policy: object):
    state, _ = step(Playout(), OnDisk(files_of(*claims)), now)
    programme = Programme(CLUSTER, {key_of(one): one for one in claims}, Policy(**policy))
    return step(state, programme, now)[0]


@given(st.integers(0, 400 * 86_400), st.text())
def test_each_night_has_one_instant_in_the_quarter_of_an_hour_that_it_begins(after_s, node):
    now = NOON + after_s * S
    night = night_of(FOUR, node, now)
    assert night <= now < night + timedelta(days=1)
    # 4 o'clock in Viet Nam is 21 o'clock in Greenwich.
    after = night - night.replace(hour=21, minute=0, second=0, microsecond=0)
    assert timedelta() <= after < timedelta(minutes=15)
    assert night_of(FOUR, node, night) == night


def test_neighbours_do_not_sound_at_once():
    assert len({night_of(FOUR, f"nut-{number}", NOON) for number in range(20)}) > 15


@pytest.mark.parametrize(
    ("tested_at", "now", "due"),
    [
        (None, NOON, True),
        (NOON - timedelta(days=1), NOON, True),
        (NOON, NOON, False),
        (NOON + S, NOON + S, False),
        (None, NOON + timedelta(hours=6), False),
    ],
)
def test_a_night_that_was_tested_or_is_long_over_is_left(tested_at, now, due):
    assert is_due(NOON, tested_at, now) is due


@pytest.mark.parametrize(
    ("minutes", "free"), [(-10, True), (-0.2, False), (0.5, False), (9.9, False), (10.1, True)]
)
def test_nothing_may_sound_or_be_about_to(minutes, free):
    now = at(minutes)
    assert is_free(a_playout(now, SONG), now) is free


def test_where_silence_was_ordered_or_is_about_to_be_there_is_no_tone():
    quiet = {"quiet": (an_interval(-60, 0),)}
    assert not is_free(a_playout(at(-5), **quiet), at(-5))
    assert not is_free(a_playout(at(-60.2), **quiet), at(-60.2))
    assert is_free(a_playout(at(0), **quiet), at(0))


def test_a_node_that_may_not_keep_its_schedule_plays_no_tone():
    assert not is_free(replace(a_playout(NOON), keeps_schedule=False), NOON)


class Bench:
    """A test that is due at noon, with everything it uses."""

    def __init__(self, folder):
        self.player = FakePlayer(SimpleQueue())
        self.powered, self.heard = [], []
        self.file = folder / "tone.wav"
        self.test = ToneTest(
            ListeningInput("pulse", None, None, time(19, 0), -30.0),
            Loudspeaker("nut-1", self.player, self, 0.4),
            self.file,
            self.hear,
        )
        self.night = night_of(time(19, 0), "nut-1", NOON + timedelta(hours=1))
        self.tested_at = None

    def hear(self, began, now):
        self.heard.append((began, now))
        self.tested_at = began

    def power(self, *, on):
        self.powered.append(on)

    def live(self, seconds, *claims: Claim):
        """Look once a second from the night's instant on."""
        for second in range(*seconds):
            now = self.night + second * S
            self.test.look(a_playout(now, *claims), self.tested_at, now)

    @property
    def cued(self):
        return self.player.waiting or self.player.sounding


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_the_tone_is_played_once_quietly_with_the_amplifier_on_and_then_looked_for(bench):
    bench.live((-5, 0))
    assert bench.cued is None
    bench.live((0, 1))
    assert bench.cued.claim_id == TEST_TONE
    assert (bench.cued.gain_db, bench.cued.length_s) == (-30.0, 1.0)
    assert bench.cued.begins == bench.night + S
    assert bench.file.read_bytes()[:4] == b"RIFF"
    assert bench.powered == [True]
    bench.live((1, 4))
    assert bench.powered == [True, False]
    assert bench.heard == []
    bench.live((4, 7))
    ((began, now),) = bench.heard
    assert (began, now) == (bench.night + S, bench.night + 5 * S)


def test_a_claim_that_comes_meanwhile_has_the_amplifier_and_the_tone_is_tried_again(bench):
    urgent = a_claim(start=bench.night + 2 * S, end=bench.night + 60 * S, issued_at=bench.night)
    bench.live((0, 1))
    bench.live((1, 3), urgent)
    bench.live((3, 600))
    assert bench.powered == [True]
    assert bench.heard == []
    bench.live((600, 620))
    assert bench.powered == [True, True, False]
    assert len(bench.heard) == 1


def test_a_disk_that_takes_no_file_costs_the_test_and_nothing_else(bench):
    bench.file.mkdir()
    bench.file = bench.file / "no"
    blocked = Bench(bench.file.parent / "missing")
    blocked.live((0, 10))
    assert (blocked.cued, blocked.powered, blocked.heard) == (None, [], [])


def test_a_clock_that_is_moved_meanwhile_ends_the_test(bench):
    bench.live((0, 1))
    bench.live((90, 91))
    assert bench.powered == [True, False]
    bench.live((91, 100))
    assert bench.heard == []
