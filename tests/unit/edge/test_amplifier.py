"""The relay is open unless something is heard."""

from time import monotonic

import pytest

from edge.gpio.amplifier import AmplifierRelay
from edge.settings import Board
from tests.factories.waiting import wait_until

COOL_DOWN_S = 0.05


@pytest.fixture
def relay():
    with_mock_pins = AmplifierRelay(Board(cool_down_s=COOL_DOWN_S))
    yield with_mock_pins
    with_mock_pins.close()


def opens_after_s(relay, **facts: float) -> float:
    """Let it open, and tell how long that took."""
    since_s = monotonic()
    relay.power(on=False, **facts)
    wait_until(lambda: not relay.is_on)
    return monotonic() - since_s


def test_it_is_off_to_begin_with(relay):
    assert not relay.is_on


def test_it_closes_at_once_and_opens_after_the_cool_down(relay):
    relay.power(on=True)
    assert relay.is_on
    assert opens_after_s(relay) >= COOL_DOWN_S


def test_a_sound_that_follows_within_the_cool_down_keeps_it_closed(relay):
    relay.power(on=True)
    relay.power(on=False)
    relay.power(on=True)
    relay.power(on=False)
    relay.power(on=True)
    with pytest.raises(AssertionError, match="not within"):
        wait_until(lambda: not relay.is_on, within_s=0.2)


def test_it_stays_closed_for_as_long_as_a_delayed_sound_still_lasts(relay):
    relay.power(on=True)
    assert opens_after_s(relay, linger_s=0.2) >= COOL_DOWN_S + 0.2


def test_closing_opens_it_at_once_and_twice_is_harmless(relay):
    relay.power(on=True)
    device = relay._device
    pin = device.pin
    relay.close()
    relay.close()
    assert not pin.state
    assert device.closed
