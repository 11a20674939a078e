"""A phone that stands still is not a broken connection; a connection that does not answer is."""

from datetime import timedelta

import pytest

from server.live.pulse import QUIET, SILENCE, STALLED, Pulse
from tests.factories.claims import NOON


def at(seconds: float):
    return NOON + timedelta(seconds=seconds)


def lost_at(answers_until_s: float, heard_again_s: float | None = None) -> float | None:
    """Look every tenth of a second for a minute at a microphone that fell silent at noon."""
    pulse = Pulse(NOON)
    for tenth in range(600):
        now = at(tenth / 10)
        if pulse.is_due(now):
            pulse.asked(now)
        if pulse.is_quiet(now) and tenth / 10 <= answers_until_s:
            pulse.answered(now)
        if heard_again_s is not None and tenth / 10 >= heard_again_s:
            pulse.heard(now)
        if pulse.is_lost(now):
            return tenth / 10
    return None


@pytest.mark.parametrize("stalled_s", [1.5, 1.9, 3.5])
def test_a_phone_that_stands_still_but_answers_stays_on_air(stalled_s):
    assert lost_at(stalled_s, heard_again_s=stalled_s) is None


def test_a_connection_that_does_not_answer_is_lost_within_two_seconds():
    assert lost_at(0) == SILENCE.total_seconds() < 2


def test_a_connection_that_dies_while_the_phone_stands_still_is_lost_two_seconds_later():
    assert lost_at(2.0) == pytest.approx(2.0 + SILENCE.total_seconds())


def test_a_phone_that_never_wakes_up_is_given_up():
    assert lost_at(60) == STALLED.total_seconds()


def test_nobody_is_asked_as_long_as_sound_comes_and_then_not_without_pause():
    pulse = Pulse(NOON)
    pulse.heard(at(1))
    assert not pulse.is_due(at(1.2))
    now = at(1) + QUIET
    assert pulse.is_due(now)
    pulse.asked(now)
    assert not pulse.is_due(now + QUIET / 2)
    assert pulse.is_due(now + QUIET)
