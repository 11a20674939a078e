"""What a station sends is heard without a hole, for as long as its clock and the network allow."""

import numpy as np
import pytest

from edge.player.intake import Intake
from edge.player.levels import FADE
from edge.player.output import RATE_HZ
from tests.factories.sounds import noise, tone

BLOCK = 960


def read(intake, first, count):
    block = np.zeros(count, dtype=np.float32)
    intake.add_to(block, first)
    return block


def feed(intake, samples, size=1152):
    for begin in range(0, len(samples), size):
        intake.take(samples[begin : begin + size])


def test_what_comes_in_before_the_start_is_heard_from_the_start_on_in_order():
    song, intake = noise(4.0), Intake()
    assert not intake.ready(-BLOCK, BLOCK)
    feed(intake, song)
    heard = np.concatenate([read(intake, at, BLOCK) for at in range(0, 3 * RATE_HZ, BLOCK)])
    assert intake.ready(3 * RATE_HZ, 3 * RATE_HZ + BLOCK)
    assert np.abs(heard[FADE:] - song[FADE : len(heard)]).max() < 1e-4


def test_nothing_is_heard_before_there_is_enough_and_then_all_of_it():
    song, intake = noise(6.0), Intake()
    feed(intake, song[:RATE_HZ])
    assert not intake.ready(0, BLOCK)
    assert not read(intake, 0, BLOCK).any()
    feed(intake, song[RATE_HZ:])
    begin = BLOCK + RATE_HZ // 10
    assert intake.ready(begin, begin + BLOCK)
    heard = read(intake, begin, RATE_HZ)
    assert np.abs(heard[FADE:] - song[FADE:RATE_HZ]).max() < 1e-4


def test_a_station_that_breaks_off_fades_and_comes_back_with_what_it_sends_then():
    first, second, intake = tone(3.0, hertz=150), tone(4.0, hertz=150), Intake()
    feed(intake, first)
    heard = [read(intake, at, BLOCK) for at in range(0, 4 * RATE_HZ, BLOCK)]
    assert not intake.ready(3 * RATE_HZ, 3 * RATE_HZ + BLOCK)
    feed(intake, second)
    heard += [read(intake, at, BLOCK) for at in range(4 * RATE_HZ, 6 * RATE_HZ, BLOCK)]
    sound = np.concatenate(heard)
    steepest = 0.5 * 2 * np.pi * 150 / RATE_HZ + 0.5 / FADE
    assert np.abs(np.diff(sound)).max() < steepest
    assert not sound[3 * RATE_HZ : 4 * RATE_HZ].any()
    assert sound[-RATE_HZ:].any()


def test_no_more_is_kept_than_has_its_place():
    intake = Intake()
    song = noise(60.0)
    for begin in range(0, len(song), RATE_HZ):
        if intake.is_full():
            break
        intake.take(song[begin : begin + RATE_HZ])
    assert intake.is_full()
    assert intake.store() <= 20 * RATE_HZ
    assert np.abs(read(intake, 0, RATE_HZ)[FADE:] - song[FADE:RATE_HZ]).max() < 1e-4


@pytest.mark.slow
def test_a_station_whose_clock_is_slow_does_not_run_dry():
    intake, sent, reader, off = Intake(), 0.0, 0, -900e-6
    chunk = np.full(BLOCK, 0.25, dtype=np.float32)
    feed(intake, np.full(3 * RATE_HZ, 0.25, dtype=np.float32))
    stores = []
    for _ in range(180):
        sent += RATE_HZ * (1 + off)
        while sent >= len(chunk):
            intake.take(chunk)
            sent -= len(chunk)
        assert intake.ready(reader, reader + RATE_HZ)
        assert np.abs(read(intake, reader, RATE_HZ)[FADE:] - 0.25).max() < 1e-3
        reader += RATE_HZ
        stores.append(intake.store() / RATE_HZ)
    # Left alone it would lose 0.054 s in each minute, and all of its three seconds in an hour.
    assert abs(stores[-1] - stores[-60]) < 0.03
    assert abs(intake.pace - 1 - off) < 3e-4


def test_a_change_of_pace_is_not_heard():
    intake, song = Intake(), tone(60.0, hertz=1000)
    feed(intake, song[: 12 * RATE_HZ])
    heard = []
    for second in range(30):
        feed(intake, song[(12 + second) * RATE_HZ : (13 + second) * RATE_HZ])
        heard.append(read(intake, second * RATE_HZ, RATE_HZ))
    assert intake.pace > 1.0
    sound = np.concatenate(heard)[FADE:]
    # The steepest slope of the tone, a little quicker.
    assert np.abs(np.diff(sound)).max() < 0.5 * 2 * np.pi * 1000 / RATE_HZ * 1.01
