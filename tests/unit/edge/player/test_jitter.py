"""Frames that come in any order, twice, late or never, and what is heard of them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.player.jitter import BROKEN_OFF, FIRST_WAIT, LOST, SILENCE, JitterBuffer, Over
from protocol.errors import RefusedError
from protocol.live import Ending, microseconds
from tests.factories.claims import NOON
from tests.factories.live import some_frames

DELAY = timedelta(seconds=1)
FRAME_US = 20_000
HEARD_US = microseconds(NOON + DELAY)
"""When the frame numbered 0 is heard."""


def a_buffer() -> JitterBuffer:
    return JitterBuffer(DELAY, expected_us=HEARD_US)


def body(number: int) -> bytes:
    return f"frame {number}".encode()


def heard_at(number: int) -> int:
    return HEARD_US + number * FRAME_US


# A message of three frames: which, and how many milliseconds after it was captured it comes.
arrivals = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2500)), min_size=1, max_size=60)


def played(some: list[tuple[int, int]]) -> tuple[JitterBuffer, dict[int, bytes]]:
    """Let messages come and every frame be asked for at its time."""
    buffer = a_buffer()
    coming = sorted(
        (microseconds(NOON) + number * 3 * FRAME_US + delay_ms * 1000, number)
        for number, delay_ms in some
    )
    heard = {}
    for number in range(100):
        now_us = heard_at(number)
        while coming and coming[0][0] < now_us:
            at_us, which = coming.pop(0)
            buffer.take(some_frames(sequence=which * 3), at_us)
        if buffer.zero_us is not None and (frame := buffer.frame(number)) is not None:
            heard[number] = frame
    for at_us, which in coming:
        buffer.take(some_frames(sequence=which * 3), at_us)
    return buffer, heard


@given(arrivals, st.randoms())
def test_what_is_heard_does_not_depend_on_the_order_nor_on_what_comes_twice(some, random):
    in_time = {number for number, delay_ms in some if delay_ms < DELAY.total_seconds() * 1000}
    shuffled = [*some, *random.sample(some, len(some) // 2)]
    random.shuffle(shuffled)
    _, heard = played(shuffled)
    expected = {3 * number + k for number in in_time for k in range(3)}
    assert expected <= heard.keys()
    assert all(heard[number] == body(number) for number in heard)
    assert heard == played(some)[1]


@given(arrivals)
def test_every_frame_is_heard_once_or_missing_and_only_missing_ones_come_late(some):
    buffer, heard = played(some)
    tally = buffer.tally
    sent = {3 * number + k for number, _ in some for k in range(3)}
    assert tally.heard == len(heard)
    assert tally.late <= tally.missing
    assert tally.late <= len(sent - heard.keys())


@given(arrivals)
def test_a_buffer_never_holds_more_than_its_bound(some):
    buffer = a_buffer()
    for number, _ in some:
        buffer.take(some_frames(sequence=number * 1_000_000, count=10), HEARD_US)
    assert len(buffer._frames) <= 1_000


def test_a_frame_that_comes_after_its_time_is_counted_once_however_often_it_comes():
    buffer = a_buffer()
    buffer.take(some_frames(sequence=3), HEARD_US)
    assert [buffer.frame(number) for number in range(3)] == [None] * 3
    for _ in range(3):
        buffer.take(some_frames(sequence=0), HEARD_US + FRAME_US)
    assert (buffer.tally.late, buffer.tally.missing) == (3, 3)


def test_a_frame_that_was_heard_and_comes_again_is_not_late():
    buffer = a_buffer()
    buffer.take(some_frames(), HEARD_US)
    assert buffer.frame(0) == body(0)
    buffer.take(some_frames(), HEARD_US)
    assert buffer.tally.late == 0


def test_a_message_with_another_beginning_is_refused_and_changes_nothing():
    buffer = a_buffer()
    buffer.take(some_frames(), HEARD_US)
    with pytest.raises(RefusedError):
        buffer.take(some_frames(sequence=3, captured=NOON + timedelta(seconds=1)), HEARD_US)
    assert buffer.frame(3) is None


def test_frames_that_nobody_asked_for_are_forgotten_when_their_time_is_long_over():
    buffer = a_buffer()
    buffer.take(some_frames(), HEARD_US)
    buffer.take(some_frames(sequence=300), heard_at(200))
    assert set(buffer._frames) == {300, 301, 302}


def test_a_broadcast_spoken_to_its_end_is_over_when_its_last_frame_was_heard():
    buffer = a_buffer()
    buffer.take(some_frames(ending=Ending.SPOKEN), HEARD_US - 500_000)
    assert buffer.over(HEARD_US - 500_000) == Over(heard_at(3), "")


def test_a_broadcast_whose_microphone_broke_off_says_so():
    buffer = a_buffer()
    buffer.take(some_frames(), HEARD_US)
    buffer.take(some_frames(sequence=3, count=0, ending=Ending.BROKEN_OFF), HEARD_US)
    assert buffer.over(HEARD_US) == Over(heard_at(3), BROKEN_OFF)


def test_frames_behind_the_end_are_not_heard_and_the_first_word_of_an_end_holds():
    buffer = a_buffer()
    buffer.take(some_frames(ending=Ending.SPOKEN), HEARD_US)
    buffer.take(some_frames(sequence=3, ending=Ending.BROKEN_OFF), HEARD_US)
    assert buffer.frame(3) is None
    assert buffer.over(HEARD_US) == Over(heard_at(3), "")


def test_a_broadcast_whose_frames_stop_is_over_within_two_seconds():
    buffer = a_buffer()
    buffer.take(some_frames(), HEARD_US)
    silent_us = heard_at(3) + SILENCE // timedelta(microseconds=1)
    assert buffer.over(silent_us - 1) is None
    assert buffer.over(silent_us) == Over(silent_us, LOST)
    assert timedelta(seconds=2) > SILENCE


def test_a_broadcast_whose_frames_come_again_in_time_goes_on():
    buffer = a_buffer()
    buffer.take(some_frames(), HEARD_US)
    buffer.take(some_frames(sequence=60), heard_at(60))
    assert buffer.over(heard_at(3) + SILENCE // timedelta(microseconds=1)) is None


def test_word_that_it_goes_on_keeps_a_broadcast_without_frames_and_only_as_long_as_it_comes():
    buffer = a_buffer()
    buffer.take(some_frames(), HEARD_US)
    for number in range(15, 200, 15):
        buffer.take(some_frames(sequence=number, count=0), HEARD_US)
    # Late word of before changes nothing.
    buffer.take(some_frames(sequence=30, count=0), HEARD_US)
    silent_us = heard_at(195) + SILENCE // timedelta(microseconds=1)
    assert buffer.over(silent_us - 1) is None
    assert buffer.over(silent_us) == Over(silent_us, LOST)
    buffer.take(some_frames(sequence=250), heard_at(200))
    assert buffer.frame(100) is None
    assert buffer.frame(250) == body(250)


def test_a_broadcast_in_which_nobody_ever_speaks_is_given_up():
    buffer = a_buffer()
    wait_us = FIRST_WAIT // timedelta(microseconds=1)
    assert buffer.over(HEARD_US + wait_us - 1) is None
    assert buffer.over(HEARD_US + wait_us) == Over(HEARD_US + wait_us, LOST)


def test_a_pause_before_the_first_word_is_due_is_no_end():
    buffer = JitterBuffer(DELAY, expected_us=HEARD_US + 10_000_000)
    buffer.take(some_frames(), HEARD_US)
    assert buffer.over(HEARD_US + 11_000_000) is None
