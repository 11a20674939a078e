"""Contacts, the silence key, lamps and the fan, on gpiozero's own imitation of a board."""

from contextlib import closing

import pytest
from gpiozero.pins.mock import MockFactory

from edge.errors import PinError
from edge.gpio.box import Box, ContactMoved, SilencePressed, TalkPressed, TalkReleased
from edge.settings import Board, Contact, Fan, Lamp, SilenceKey, TalkInput
from tests.factories.waiting import wait_until

DOOR, MAINS = Contact("door", 5, open_is_alarm=True), Contact("mains-lost", 6, open_is_alarm=False)
BOARD = Board(
    contacts=(DOOR, MAINS),
    silence_key=SilenceKey(13, 30),
    talk_key=TalkInput(16, "alsa"),
    lamps=(Lamp("network", 22), Lamp("alarm", 23)),
    fan=Fan(24, on_c=65, off_c=55),
)


@pytest.fixture
def pins():
    return MockFactory()


@pytest.fixture
def told():
    return []


@pytest.fixture
def box(pins, told):
    opened = Box(BOARD, told.append, pins)
    yield opened
    opened.close()


def close_contact(pins, number):
    pins.pin(number).drive_low()


def test_an_alarm_stands_while_its_contact_is_as_the_profile_says(box, pins, told):
    assert box.standing == {"door"}
    close_contact(pins, 5)
    close_contact(pins, 6)
    wait_until(lambda: told.count(ContactMoved()) == 2)
    assert box.standing == {"mains-lost"}


@pytest.mark.usefixtures("box")
def test_a_press_of_the_silence_key_is_told_once_and_its_release_is_not(pins, told):
    close_contact(pins, 13)
    pins.pin(13).drive_high()
    wait_until(lambda: told == [SilencePressed()])


def test_the_talk_key_is_told_of_when_it_is_pressed_and_when_it_is_let_go(box, pins, told):
    close_contact(pins, 16)
    wait_until(lambda: told == [TalkPressed()])
    assert box.is_talk_key_closed
    pins.pin(16).drive_high()
    wait_until(lambda: told == [TalkPressed(), TalkReleased()])
    assert not box.is_talk_key_closed


def test_lamps_show_what_they_are_told_and_those_that_are_not_wired_nothing(box, pins):
    box.show(network=True, sound=True, alarm=False)
    assert (pins.pin(22).state, pins.pin(23).state) == (1, 0)


def test_lamps_blink_for_whoever_looks_for_the_box_and_then_show_what_they_did(pins, told):
    now_s = [100.0]
    with closing(Box(BOARD, told.append, pins, clock=lambda: now_s[0])) as box:
        box.show(network=True, sound=False, alarm=False)
        assert box.blink(30.0)
        wait_until(lambda: pins.pin(23).state)
        wait_until(lambda: not pins.pin(22).state)
        box.show(network=False, sound=False, alarm=False)
        wait_until(lambda: pins.pin(22).state)
        now_s[0] += 30.0
        box.show(network=True, sound=False, alarm=False)
        assert (pins.pin(22).state, pins.pin(23).state) == (1, 0)


def test_a_box_without_lamps_says_that_nothing_blinks(pins, told):
    with closing(Box(Board(), told.append, pins)) as box:
        assert not box.blink(30.0)


@pytest.mark.parametrize(
    ("temperatures_c", "runs"),
    [((64.9,), 0), ((65.0,), 1), ((66.0, 55.0), 1), ((66.0, 54.9), 0), ((None,), 1)],
)
def test_the_fan_runs_from_one_temperature_until_a_lower_one(box, pins, temperatures_c, runs):
    for temperature_c in temperatures_c:
        box.cool(temperature_c)
    assert pins.pin(24).state == runs


def test_all_is_off_and_given_back_at_the_end(box, pins):
    box.show(network=True, sound=True, alarm=True)
    box.cool(80)
    box.close()
    box.close()
    assert [pins.pin(number).function for number in (22, 23, 24)] == ["input"] * 3


def test_a_pin_that_another_device_holds_is_named_and_nothing_stays_open(pins, told):
    twice = Board(lamps=(Lamp("network", 22), Lamp("alarm", 22)))
    with pytest.raises(PinError, match="pin 22"):
        Box(twice, told.append, pins)
    Box(Board(lamps=(Lamp("network", 22),)), told.append, pins).close()


def test_a_box_without_anything_wired_asks_for_no_pins(told):
    box = Box(Board(), told.append)
    box.show(network=True, sound=False, alarm=False)
    box.cool(90)
    assert box.standing == frozenset()
    box.close()
