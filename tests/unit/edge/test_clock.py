"""The program's clock: asked, answered, moved in silence, and kept on disk."""

from datetime import timedelta

import pytest

from edge.clock import ASK_AGAIN_S, LONGEST_WAIT_S, Clock
from edge.machine import FakeMachine
from protocol.messages import ClockSource
from tests.factories.claims import NOON

A_SECOND = timedelta(seconds=1)


@pytest.fixture
def machine():
    return FakeMachine((NOON - timedelta(days=100)).timestamp())


@pytest.fixture
def clock(machine, tmp_path):
    return Clock(machine, tmp_path / "clock.json")


def answered(clock, machine, at=NOON, after_s=0.1):
    nonce = clock.ask()
    machine.pass_s(after_s)
    return clock.take_answer(nonce, at)


def test_a_clock_of_months_ago_says_that_it_is_not_trusted(clock):
    assert (clock.is_trusted, clock.source, clock.bound) == (False, ClockSource.NONE, None)
    assert clock.wants_answer


def test_the_answer_to_its_own_question_makes_it_trusted(clock, machine):
    assert answered(clock, machine)
    assert not clock.is_trusted
    assert clock.step_due(is_silent=False) > timedelta(days=99)
    clock.step()
    assert clock.is_trusted
    assert abs(clock.now() - NOON) <= clock.bound <= 0.1 * A_SECOND
    assert clock.newest_issued is None


def test_the_systems_clock_is_right_when_it_tells_the_same_to_the_minute(clock, machine):
    assert not clock.system_is_right
    answered(clock, machine)
    clock.step()
    assert not clock.system_is_right
    machine.wall_s = clock.now_s() + 59
    assert clock.system_is_right
    machine.wall_s = clock.now_s() - 61
    assert not clock.system_is_right


def test_an_answer_counts_once_and_only_for_the_newest_question(clock):
    old = clock.ask()
    new = clock.ask()
    assert not clock.take_answer(old, NOON)
    assert not clock.take_answer("", NOON)
    assert clock.take_answer(new, NOON)
    assert not clock.take_answer(new, NOON + timedelta(days=1))
    assert not clock.take_answer("", NOON)


def test_it_is_moved_in_silence_unless_it_is_far_off_or_there_is_no_silence(clock, machine):
    answered(clock, machine)
    clock.step()
    machine.pass_s(10_000)
    answered(clock, machine, clock.now() + A_SECOND, after_s=0.0)
    assert clock.step_due(is_silent=False) is None
    assert clock.step_due(is_silent=True) == pytest.approx(A_SECOND, abs=0.01 * A_SECOND)
    machine.pass_s(LONGEST_WAIT_S)
    assert clock.step_due(is_silent=False) is not None


def test_by_a_clock_that_nobody_vouched_for_nothing_is_worth_waiting_for(clock, machine):
    answered(clock, machine, clock.now() + 30 * A_SECOND, after_s=0.0)
    assert clock.step_due(is_silent=False) == pytest.approx(30 * A_SECOND, abs=A_SECOND)


def test_it_asks_again_soon_while_it_knows_badly_and_now_and_then_afterwards(clock, machine):
    answered(clock, machine, after_s=3.0)
    clock.step()
    assert not clock.wants_answer
    machine.pass_s(15)
    assert clock.wants_answer
    answered(clock, machine, clock.now())
    clock.step()
    machine.pass_s(15)
    assert not clock.wants_answer
    machine.pass_s(ASK_AGAIN_S)
    assert clock.wants_answer


def test_while_a_schedule_waits_for_the_time_it_is_asked_again_soon(clock, machine):
    pauses_s = []
    for _ in range(6):
        clock.ask()
        pauses_s.append(0)
        while not clock.wants_answer:
            machine.pass_s(0.5)
            pauses_s[-1] += 0.5
    assert pauses_s == [1, 2, 4, 5, 5, 5]


def test_a_clock_kept_by_the_network_asks_no_more_until_the_network_is_gone(machine, tmp_path):
    machine.ntp_error_s = 0.02
    clock = Clock(machine, tmp_path / "clock.json")
    machine.pass_s(ASK_AGAIN_S)
    clock.watch()
    assert not clock.wants_answer
    machine.ntp_error_s = None
    machine.pass_s(2 * ASK_AGAIN_S)
    clock.watch()
    assert clock.wants_answer
    assert clock.is_trusted


def test_the_system_clock_may_be_set_by_hand_and_nothing_moves(machine, tmp_path):
    machine.ntp_error_s = 0.02
    clock = Clock(machine, tmp_path / "clock.json")
    before = clock.now()
    machine.ntp_error_s = None
    for step_s in (7200, -86_400):
        machine.wall_s += step_s
        machine.pass_s(5)
        clock.watch()
    assert clock.now() == before + timedelta(seconds=10)
    assert clock.step_due(is_silent=True) is None


def test_network_time_that_comes_late_is_followed(clock, machine):
    machine.wall_s, machine.ntp_error_s = NOON.timestamp(), 0.02
    clock.watch()
    assert clock.step_due(is_silent=True) == timedelta(days=100)
    clock.step()
    assert (clock.now(), clock.source) == (NOON, ClockSource.NETWORK)


def test_what_is_known_outlives_the_program_and_the_power(clock, machine, tmp_path):
    answered(clock, machine)
    clock.step()
    clock.take_issued(NOON + A_SECOND)
    clock.keep()
    machine.pass_s(60)
    again = Clock(machine, tmp_path / "clock.json")
    assert again.is_trusted
    assert abs(again.now() - NOON) < timedelta(seconds=61)
    again.keep()
    machine.reboot(off_s=3600)
    rebooted = Clock(machine, tmp_path / "clock.json")
    assert not rebooted.is_trusted
    assert rebooted.now() >= again.now() - A_SECOND
    assert rebooted.newest_issued == NOON + A_SECOND


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"boot_id": 3}', b"\xff\xfe"])
def test_a_damaged_memory_is_as_good_as_none(machine, tmp_path, body):
    (tmp_path / "clock.json").write_bytes(body)
    assert not Clock(machine, tmp_path / "clock.json").is_trusted


def test_a_disk_that_takes_nothing_costs_only_the_memory(machine, tmp_path):
    clock = Clock(machine, tmp_path / "gone" / "clock.json")
    clock.keep()
    assert answered(clock, machine)
