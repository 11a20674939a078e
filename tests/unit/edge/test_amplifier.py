"""The relay is open unless something is heard."""

import pytest

from edge.gpio.amplifier import AmplifierRelay
from edge.settings import Board
from tests.factories.waiting import wait_until


@pytest.fixture
def relay():
    with_mock_pins = AmplifierRelay(Board(cool_down_s=0.05))
    yield with_mock_pins
    with_mock_pins.close()


def test_it_is_off_to_begin_with(relay):
    assert not relay.is_on


def test_it_closes_at_once_and_opens_after_the_cool_down(relay):
    relay.power(on=True)
    assert relay.is_on
    relay.power(on=False)
    assert relay.is_on
    wait_until(lambda: not relay.is_on)


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
    relay.power(on=False, linger_s=0.4)
    with pytest.raises(AssertionError, match="not within"):
        wait_until(lambda: not relay.is_on, within_s=0.2)
    wait_until(lambda: not relay.is_on)


def test_closing_opens_it_at_once_and_twice_is_harmless(relay):
    relay.power(on=True)
    device = relay._device
    pin = device.pin
    relay.close()
    relay.close()
    assert not pin.state
    assert device.closed
