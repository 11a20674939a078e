"""How a node knows the time, and that it never claims to know it better than it does."""

from datetime import timedelta
from math import inf

from hypothesis import example, given
from hypothesis import strategies as st

from edge.machine import FakeMachine, Machine
from edge.timekeeping import (
    DRIFT,
    TRUSTED_WITHIN_S,
    Reading,
    Remembered,
    Timekeeping,
    begun,
    judged_instead,
    pulled,
    told,
    watched,
)
from protocol.errors import Refusal, RefusedError
from protocol.messages import ClockSource, SignedTime
from tests.factories.claims import NOON
from tests.factories.messages import A_NONCE, PROVINCE_KEY, a_token

TRUE_S = NOON.timestamp()
MONTHS_S = 100 * 86_400.0
A_DAY_S = 86_400.0
EXPIRED = RefusedError(Refusal.EXPIRED)


def a_memory(**overrides: object):
    facts = {
        "boot_id": "boot-1",
        "delta_s": TRUE_S - 50,
        "source": ClockSource.NETWORK,
        "error_s": 0.1,
        "measured_s": 50.0,
        "known_s": TRUE_S,
        "wall_s": TRUE_S,
        "newest_s": TRUE_S,
    }
    return Remembered(**{**facts, **overrides})


class World:
    """A node whose crystal is off and whose link is slow, perhaps in one direction alone."""

    def __init__(self, *, off_s: float, drift: float):
        self.true_s = TRUE_S
        self.ticks_s = 10.0
        self.rate = 1 + drift
        self.known = Timekeeping(TRUE_S + off_s - self.ticks_s)

    def pass_s(self, seconds: float):
        self.true_s += seconds
        self.ticks_s += seconds * self.rate

    def ask(self, there_s: float, back_s: float):
        asked_s = self.ticks_s
        self.pass_s(there_s)
        at_s = self.true_s
        self.pass_s(back_s)
        self.known = told(self.known, at_s, asked_s=asked_s, answered_s=self.ticks_s)

    @property
    def wrong_s(self):
        return abs(self.known.now_s(self.ticks_s) - self.true_s)


delays_s = st.floats(0, 30)
steps = st.lists(st.tuples(st.floats(0, 40 * A_DAY_S), delays_s, delays_s), min_size=1, max_size=6)


@given(st.floats(-MONTHS_S, MONTHS_S), st.floats(-0.99 * DRIFT, 0.99 * DRIFT), steps)
@example(1.0, -0.83 * DRIFT, [(0.0, 0.0, 25.0)])  # what it drifts while the answer is on its way
def test_the_clock_is_never_more_wrong_than_it_says_however_lopsided_the_link(off_s, drift, asked):
    world = World(off_s=off_s, drift=drift)
    for apart_s, there_s, back_s in asked:
        world.pass_s(apart_s)
        assert world.wrong_s <= world.known.bound_s(world.ticks_s) + 0.001
        world.ask(there_s, back_s)
        assert world.wrong_s <= world.known.bound_s(world.ticks_s) + 0.001


@given(delays_s, delays_s)
def test_the_bound_is_half_the_round_trip_and_grows_with_the_drift(there_s, back_s):
    world = World(off_s=-MONTHS_S, drift=0.0)
    world.ask(there_s, back_s)
    half_s = (there_s + back_s) / 2
    assert half_s <= world.known.error_s <= half_s * (1 + 2 * DRIFT) + 0.002
    world.pass_s(A_DAY_S)
    assert world.known.bound_s(world.ticks_s) >= half_s + DRIFT * A_DAY_S


def test_a_right_clock_is_not_moved_by_the_noise_of_a_round_trip():
    world = World(off_s=0.01, drift=0.0)
    world.ask(0.2, 0.02)
    assert world.known.delta_s == TRUE_S + 0.01 - 10.0
    assert world.known.source is ClockSource.SERVER
    assert 0.11 <= world.known.error_s <= 0.25


def test_a_worse_measurement_does_not_replace_a_better_one():
    world = World(off_s=-5.0, drift=0.0)
    world.ask(0.01, 0.01)
    before = world.known
    world.ask(3.0, 0.1)
    assert world.known == before


def test_a_schedule_may_be_kept_for_two_weeks_without_network_and_not_for_ever():
    known = Timekeeping(0.0, ClockSource.NETWORK, 0.1, 0.0)
    assert known.is_trusted(14 * A_DAY_S)
    assert not known.is_trusted((TRUSTED_WITHIN_S + 1) / DRIFT)
    assert not Timekeeping(0.0).is_trusted(0.0)


def test_a_clock_kept_by_the_network_is_believed_and_never_too_well():
    known = begun(Reading(TRUE_S, 10.0, 0.0), "boot-1", None, has_battery=False)
    assert (known.source, known.error_s) == (ClockSource.NETWORK, 0.1)
    assert known.now_s(10.0) == TRUE_S


def test_a_clock_that_was_set_by_hand_moves_nothing():
    known = begun(Reading(TRUE_S, 10.0, 0.02), "boot-1", None, has_battery=False)
    after = watched(known, Reading(TRUE_S + 3600 + 5, 15.0))
    assert after.now_s(15.0) == TRUE_S + 5


def test_forged_network_time_does_not_outweigh_signed_time():
    world = World(off_s=0.0, drift=0.0)
    world.ask(0.05, 0.05)
    forged = Reading(world.true_s - 600, world.ticks_s, 0.01)
    assert watched(world.known, forged) == world.known
    honest = Reading(world.true_s + 0.02, world.ticks_s, 0.01)
    assert watched(world.known, honest).source is ClockSource.NETWORK


def test_signed_time_outweighs_network_time_that_contradicts_it():
    known = begun(Reading(TRUE_S - 600, 10.0, 0.01), "boot-1", None, has_battery=False)
    after = told(known, TRUE_S, asked_s=10.0, answered_s=10.2)
    assert after.source is ClockSource.SERVER
    assert abs(after.now_s(10.2) - TRUE_S) <= 0.2


def test_the_next_life_of_the_program_in_the_same_boot_goes_on_with_what_was_known():
    known = begun(Reading(0.0, 5000.0), "boot-1", a_memory(), has_battery=False)
    assert known.now_s(5000.0) == TRUE_S + 4950
    assert known.is_trusted(5000.0)


def test_a_board_without_battery_knows_after_a_reboot_only_that_it_is_not_earlier():
    reading = Reading(TRUE_S - MONTHS_S, 10.0)
    known = begun(reading, "boot-2", a_memory(), has_battery=False)
    assert known.now_s(10.0) == TRUE_S
    assert (known.source, known.bound_s(10.0)) == (ClockSource.NONE, inf)


def test_a_battery_keeps_the_time_through_a_reboot_and_says_how_well():
    reading = Reading(TRUE_S + A_DAY_S, 10.0)
    known = begun(reading, "boot-2", a_memory(), has_battery=True)
    assert known.source is ClockSource.BATTERY
    assert known.now_s(10.0) == TRUE_S + A_DAY_S
    assert known.bound_s(10.0) == 1.0 + 0.1 + DRIFT * A_DAY_S


def test_a_battery_clock_that_was_never_set_right_keeps_the_difference():
    memory = a_memory(source=ClockSource.SERVER, wall_s=TRUE_S - 500)
    known = begun(Reading(TRUE_S - 500 + 60, 10.0), "boot-2", memory, has_battery=True)
    assert known.now_s(10.0) == TRUE_S + 60


def test_an_empty_battery_is_not_believed():
    reading = Reading(946_684_800.0, 10.0)
    known = begun(reading, "boot-2", a_memory(), has_battery=True)
    assert (known.source, known.now_s(10.0)) == (ClockSource.NONE, TRUE_S)


def test_a_battery_vouches_for_nothing_that_was_not_known_before():
    memory = a_memory(source=ClockSource.NONE, error_s=None)
    known = begun(Reading(TRUE_S + 9, 10.0), "boot-2", memory, has_battery=True)
    assert known.source is ClockSource.NONE
    assert begun(Reading(TRUE_S, 10.0), "b", None, has_battery=True).source is ClockSource.NONE


def test_an_order_tells_the_time_only_to_who_knows_nothing_better():
    lost = Timekeeping(TRUE_S - MONTHS_S)
    assert pulled(lost, TRUE_S, 0.0).now_s(0.0) == TRUE_S
    assert pulled(lost, TRUE_S, 0.0).source is ClockSource.NONE
    near = Timekeeping(TRUE_S + 3)
    assert pulled(near, TRUE_S, 0.0) == near
    trusted = Timekeeping(TRUE_S - 600, ClockSource.SERVER, 0.1, 0.0)
    assert pulled(trusted, TRUE_S, 0.0) == trusted


def test_a_message_is_judged_by_its_own_time_only_where_that_may_be_now():
    raw = a_token()
    week = timedelta(days=7)
    assert judged_instead(raw, EXPIRED, NOON + week, None) == NOON
    assert judged_instead(raw, EXPIRED, NOON + week, timedelta(seconds=30)) is None
    assert judged_instead(raw, EXPIRED, NOON + week, 2 * week) == NOON
    assert judged_instead(raw, RefusedError(Refusal.FORGED), NOON + week, None) is None
    assert judged_instead(b"rubbish", EXPIRED, NOON, None) is None


def test_the_answer_with_the_time_is_judged_by_its_own_time_always():
    raw = a_token(SignedTime(nonce=A_NONCE, at=NOON), PROVINCE_KEY)
    much_later = NOON + timedelta(days=400)
    assert judged_instead(raw, EXPIRED, much_later, timedelta(seconds=1)) == NOON


def test_the_machine_reads_its_clocks():
    machine = Machine()
    reading = machine.read()
    assert reading.wall_s > TRUE_S - 10 * 365 * A_DAY_S
    assert 0 <= machine.ticks_s() - reading.ticks_s < 1
    assert machine.boot_id


def test_the_fake_machine_loses_its_time_without_a_battery():
    fake = FakeMachine(TRUE_S)
    fake.pass_s(5)
    fake.reboot(off_s=3600)
    assert (fake.read().wall_s, fake.boot_id) == (TRUE_S + 5, "boot-1+")
