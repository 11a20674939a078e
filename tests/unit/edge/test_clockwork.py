"""What the playout learns of the clock: when, and nothing when there is nothing to learn."""

from datetime import timedelta

import pytest

from edge.clock import Clock
from edge.clockwork import STEP, ClockDesk
from edge.machine import FakeMachine
from edge.playout import Playout
from tests.factories.claims import NOON

LONG_AGO = NOON - timedelta(days=100)
UNTOLD = Playout(keeps_schedule=False)
TOLD = Playout(keeps_schedule=True)


@pytest.fixture
def machine():
    return FakeMachine(LONG_AGO.timestamp())


@pytest.fixture
def clock(machine, tmp_path):
    return Clock(machine, tmp_path / "clock.json")


@pytest.fixture
def desk(clock):
    return ClockDesk(clock, may_guess=False)


def test_the_first_answer_moves_the_clock_and_lets_the_schedule_begin(desk, clock, machine):
    assert not desk.keeps_schedule
    machine.pass_s(7.0)
    learnt = desk.told(clock.ask(), NOON, UNTOLD)
    assert (learnt.keeps_schedule, clock.now()) == (True, NOON)
    assert abs(learnt.by - timedelta(days=100)) < timedelta(seconds=8)
    assert learnt.since == NOON - timedelta(seconds=7)


def test_an_answer_that_nobody_asked_for_teaches_nothing(desk, clock):
    clock.ask()
    assert desk.told("", NOON, UNTOLD) is None
    assert not desk.keeps_schedule


def test_what_is_known_already_is_not_learnt_again(desk, clock):
    desk.told(clock.ask(), NOON, UNTOLD)
    assert desk.watched(TOLD) is None
    assert desk.watched(UNTOLD).by == timedelta()


def test_a_clock_that_is_not_trusted_any_more_is_told_of_and_not_moved(desk, clock, machine):
    desk.told(clock.ask(), NOON, UNTOLD)
    machine.pass_s(timedelta(days=60).total_seconds())
    learnt = desk.watched(TOLD)
    assert (learnt.keeps_schedule, learnt.by) == (False, timedelta())


def test_a_schedule_that_may_be_guessed_begins_by_any_clock(clock):
    desk = ClockDesk(clock, may_guess=True)
    assert desk.keeps_schedule
    assert desk.watched(TOLD) is None
    assert desk.told(clock.ask(), NOON, TOLD).keeps_schedule


def test_an_order_pulls_a_clock_that_nothing_vouches_for_and_only_that(desk, clock):
    learnt = desk.pulled(NOON)
    assert (learnt.keeps_schedule, clock.now()) == (False, NOON)
    assert learnt.by == timedelta(days=100)
    assert desk.pulled(NOON + STEP / 2) is None
    desk.told(clock.ask(), NOON, UNTOLD)
    assert desk.pulled(NOON + timedelta(days=1)) is None
