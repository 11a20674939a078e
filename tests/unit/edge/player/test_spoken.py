"""Frames become sound at their own instants; what is missing is silence without a click."""

import numpy as np
import pytest

from edge.player import Microphone
from edge.player.jitter import JitterBuffer
from edge.player.spoken import Speech, Spoken
from protocol.live import frames_from, microseconds
from tests.factories.claims import NOON
from tests.factories.live import FRAME, spoken
from tests.factories.sounds import RATE_HZ, lag_s, rms, tone
from tests.unit.edge.player.test_jitter import DELAY, HEARD_US

TONE = tone(2.0, hertz=300.0, level=0.4)
FRAMES = spoken(TONE)
BLOCK = 960


def a_speech(*, without=frozenset()) -> Speech:
    buffer = JitterBuffer(DELAY, expected_us=HEARD_US)
    for number, frame in enumerate(FRAMES):
        if number not in without:
            buffer.take(frames_from("noi-1", NOON, number, [frame]), HEARD_US)
    return Speech(buffer)


def read(speech: Speech, *, from_s: float = 0.0, seconds: float = 2.0) -> np.ndarray:
    """Read as a player does, in blocks, from so long after the first frame is heard."""
    begins_us = HEARD_US + from_s * 1e6
    track = Spoken(Microphone("noi-1", 0.0, 60.0), begins_us / 1e6, speech)
    blocks = []
    for first in range(0, round(seconds * RATE_HZ), BLOCK):
        block = np.zeros(BLOCK, dtype=np.float32)
        track.add_to(block, first)
        blocks.append(block)
    return np.concatenate(blocks)


def test_frames_are_heard_at_their_instants():
    # An Opus encoder looks 6.5 ms ahead.
    heard = read(a_speech())
    assert rms(heard[FRAME:-FRAME]) == pytest.approx(rms(TONE), rel=0.05)
    assert abs(lag_s(TONE[4800:9600], heard[4800:9600])) <= 0.01


def test_two_who_begin_to_listen_at_other_instants_hear_the_same_at_the_same_time():
    whole, late = read(a_speech()), read(a_speech(), from_s=0.5, seconds=1.5)
    # A decoder that began in the middle needs a while to have the same memory.
    last = RATE_HZ // 2
    assert np.allclose(whole[-last:], late[-last:], atol=0.02)


@pytest.mark.parametrize("lost", [{20}, {20, 21, 22}, set(range(20, 60))], ids=len)
def test_a_hole_is_silent_and_begins_and_ends_without_a_click(lost):
    heard = read(a_speech(without=lost))
    middle = heard[20 * FRAME + FRAME // 2 : (20 + len(lost)) * FRAME]
    assert np.abs(middle).max() == 0.0
    steepest = np.abs(np.diff(TONE)).max()
    assert np.abs(np.diff(heard)).max() <= 2.5 * steepest


def test_bytes_that_are_no_sound_are_a_hole_and_what_follows_is_heard():
    buffer = JitterBuffer(DELAY, expected_us=HEARD_US)
    for number, frame in enumerate(FRAMES):
        bad = b"\xff\xff\xff" if 10 <= number < 20 else frame
        buffer.take(frames_from("noi-1", NOON, number, [bad]), HEARD_US)
    heard = read(Speech(buffer))
    assert np.abs(heard[10 * FRAME + FRAME // 2 : 20 * FRAME]).max() == 0.0
    assert rms(heard[25 * FRAME : 50 * FRAME]) == pytest.approx(rms(TONE), rel=0.1)


def test_the_closing_tone_is_heard_at_its_instant_and_is_soft():
    speech = Speech(JitterBuffer(DELAY, expected_us=HEARD_US))
    speech.close_at(HEARD_US + 500_000)
    heard = read(speech)
    begins = round(0.5 * RATE_HZ)
    assert not heard[:begins].any()
    closing = heard[begins : begins + round(0.8 * RATE_HZ)]
    assert 0.02 < rms(closing) < 0.1
    assert np.abs(np.diff(heard)).max() < 0.03
    assert not heard[begins + round(0.8 * RATE_HZ) :].any()


def test_a_broadcast_that_is_not_known_is_silent():
    track = Spoken(Microphone("noi-1", 0.0, 60.0), microseconds(NOON) / 1e6, None)
    block = np.zeros(BLOCK, dtype=np.float32)
    track.add_to(block, 0)
    assert not block.any()


def test_nothing_sounds_outside_its_place_in_the_sound():
    track = Spoken(Microphone("noi-1", 1.0, 0.5), HEARD_US / 1e6, a_speech())
    block = np.zeros(2 * RATE_HZ, dtype=np.float32)
    track.add_to(block, 0)
    assert not block[:RATE_HZ].any()
    assert block[RATE_HZ : RATE_HZ * 3 // 2].any()
    assert not block[RATE_HZ * 3 // 2 :].any()
