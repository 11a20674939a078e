"""A phone's own time becomes the server's, though every message is late by another amount."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.live import FRAME_S
from server.live.stamping import WINDOW_S, Stamper

BEGAN_S = 1_000_000.0
"""When the phone's clock was 0, by the server's."""
TOGETHER = 3


def run(
    delays_s: list[float], stamper: Stamper | None = None, *, lost: frozenset[int] = frozenset()
):
    """Send messages of three frames, each late by some seconds; give what was made of them."""
    stamper = Stamper()
    found = []
    for which, delay_s in enumerate(delays_s):
        if which in lost:
            continue
        media_s = which * TOGETHER * FRAME_S
        arrived_s = BEGAN_S + media_s + TOGETHER * FRAME_S + delay_s
        captured_s = stamper.captured_s(arrived_s, media_s, TOGETHER)
        found.append((which, captured_s, stamper.number(captured_s, TOGETHER)))
    return stamper, found


@given(st.lists(st.floats(0.02, 0.8), min_size=1, max_size=60))
def test_frames_are_never_stamped_earlier_than_captured_and_later_by_the_shortest_way_at_most(
    delays_s,
):
    _, found = run(delays_s)
    for which, captured_s, _ in found:
        true_s = BEGAN_S + which * TOGETHER * FRAME_S
        shortest_s = min(delays_s[: which + 1])
        assert true_s - 1e-6 <= captured_s <= true_s + shortest_s + 1e-6


@given(st.lists(st.floats(0.02, 0.8), min_size=1, max_size=60))
def test_numbers_only_grow(delays_s):
    _, found = run(delays_s)
    numbers = [number for _, _, number in found if number is not None]
    assert all(one + TOGETHER <= other for one, other in pairwise(numbers))


def test_a_steady_microphone_is_numbered_without_a_hole_however_messages_wobble():
    stamper, _ = run([0.03])
    _, found = run([0.03, 0.2, 0.05, 0.7, 0.03, 0.4] * 10)
    assert [number for _, _, number in found] == [which * TOGETHER for which, _, _ in found]
    assert stamper.next_number == TOGETHER


def test_what_was_not_captured_is_a_hole_of_its_length():
    _, found = run([0.05] * 30, lost=frozenset(range(10, 20)))
    assert found[9][2] == 27
    assert found[10][2] == 60


def test_frames_that_were_lost_on_the_way_for_a_moment_leave_no_doubt_about_the_rest():
    _, found = run([0.05] * 10, lost=frozenset({4}))
    assert found[-1][2] == 27


def test_a_way_that_has_become_longer_for_good_is_believed_within_seconds():
    after = int((WINDOW_S + 1) / (TOGETHER * FRAME_S))
    _, found = run([0.05] * 50 + [0.6] * after)
    which, captured_s, number = found[-1]
    true_s = BEGAN_S + which * TOGETHER * FRAME_S
    assert captured_s == pytest.approx(true_s + 0.6, abs=0.001)
    # Else every frame would come too late to the loudspeakers from then on.
    assert number == pytest.approx(which * TOGETHER + 0.55 / FRAME_S, abs=3)


def test_sound_that_claims_to_be_long_past_is_dropped():
    stamper, _ = run([0.05] * 100)
    captured_s = stamper.captured_s(BEGAN_S + 6.1, 1.0, TOGETHER)
    assert stamper.number(captured_s, TOGETHER) is None


def test_the_first_frame_that_is_numbered_is_the_beginning():
    stamper, found = run([0.04] * 3)
    assert stamper.first_captured_s == found[0][1]
    assert found[0][2] == 0
