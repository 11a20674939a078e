"""How a node knows the time, and how wrong that may be: rules and values only.

A node counts seconds since the board booted, which nobody can set, and adds what it knows of when
that was. So a clock that is set while it plays moves nothing before something vouches for it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf

from protocol.errors import Refusal, RefusedError
from protocol.messages import ClockSource, SignedTime
from protocol.signing import LEEWAY, unverified

DRIFT = 100e-6
"""What a crystal may gain or lose in a second: a board in the sun, with nobody correcting it."""

TRUSTED_WITHIN_S = 300.0
"""A schedule is kept by a clock that may be wrong by so much: five weeks without a network."""

ASKED_WITHIN_S = 0.25
"""A clock that may be wrong by more than this asks again soon."""

NETWORK_ERROR_S = 0.1
"""Least bound on a clock kept by NTP: systemd-timesyncd tells the kernel of no error at all, and
half the round trip over a mobile network may be asymmetric."""

BATTERY_ERROR_S = 1.0
"""Least bound on a clock kept by a battery: it is read and set in whole seconds."""

KEPT_FOR_S = 30.0
"""How long after the last look a clock still counts as kept by the network."""

SLACK_S = 0.001
"""What reading two clocks one after the other may differ by itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the machine's clocks.

    Attributes:
        wall_s: The system's clock, seconds since 1970.
        ticks_s: Seconds since boot; never set, and slewed as the system's clock is.
        ntp_error_s: The kernel's own bound while NTP keeps the system's clock; None while not.
    """

    wall_s: float
    ticks_s: float
    ntp_error_s: float | None = None

    @property
    def delta_s(self) -> float:
        """What the system's clock adds to the ticks."""
        return self.wall_s - self.ticks_s


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an earlier life of the program knew of the time.

    Attributes:
        boot_id: The boot of the machine in which it knew it.
        delta_s: What it added to the ticks of that boot.
        measured_s: Ticks at which it knew it to within ``error_s``; None: nothing vouched for it.
        known_s: The last instant it noted, seconds since 1970.
        wall_s: What the system's clock said then.
        newest_s: When the newest order was issued that it had seen.
    """

    boot_id: str
    delta_s: float
    source: ClockSource
    error_s: float | None
    measured_s: float
    known_s: float
    wall_s: float
    newest_s: float


@dataclass(frozen=True, slots=True)
class Timekeeping:
    """What is known of the time.

    Attributes:
        delta_s: What is added to the ticks.
        error_s: How far off that was at most, at ``measured_s`` ticks.
    """

    delta_s: float
    source: ClockSource = ClockSource.NONE
    error_s: float = inf
    measured_s: float = 0.0

    def now_s(self, ticks_s: float) -> float:
        """Tell the time, in seconds since 1970."""
        return ticks_s + self.delta_s

    def bound_s(self, ticks_s: float) -> float:
        """Tell how wrong it may be; infinite where nothing vouches for it."""
        return self.error_s + DRIFT * max(0.0, ticks_s - self.measured_s)

    def is_trusted(self, ticks_s: float) -> bool:
        """Say whether a schedule may be kept by it."""
        return self.bound_s(ticks_s) <= TRUSTED_WITHIN_S

    def is_kept(self, ticks_s: float) -> bool:
        """Say whether NTP is at work on it."""
        is_fresh = ticks_s - self.measured_s <= KEPT_FOR_S
        return self.source is ClockSource.NETWORK and is_fresh


def begun(
    reading: Reading, boot_id: str, before: Remembered | None, *, has_battery: bool
) -> Timekeeping:
    """Begin with what the machine and an earlier life of the program know.

    Args:
        reading: The machine's clocks.
        boot_id: This boot of the machine.
        before: What was kept on disk.
        has_battery: Whether the system's clock was set from one that a battery keeps.
    """
    if reading.ntp_error_s is not None:
        return _by_network(reading, reading.ntp_error_s)
    if before is None:
        return Timekeeping(reading.delta_s)
    if before.boot_id == boot_id and before.measured_s <= reading.ticks_s:
        return _resumed(before)
    off_s = reading.wall_s - before.wall_s
    if has_battery and before.error_s is not None and off_s >= 0:
        error_s = BATTERY_ERROR_S + before.error_s + DRIFT * off_s
        delta_s = before.known_s + off_s - reading.ticks_s
        return Timekeeping(delta_s, ClockSource.BATTERY, error_s, reading.ticks_s)
    # It is certainly no earlier than that.
    return Timekeeping(max(reading.wall_s, before.known_s) - reading.ticks_s)


def _resumed(before: Remembered) -> Timekeeping:
    error_s = inf if before.error_s is None else before.error_s
    return Timekeeping(before.delta_s, before.source, error_s, before.measured_s)


def _by_network(reading: Reading, error_s: float) -> Timekeeping:
    bound_s = max(error_s, NETWORK_ERROR_S)
    return Timekeeping(reading.delta_s, ClockSource.NETWORK, bound_s, reading.ticks_s)


def watched(known: Timekeeping, reading: Reading) -> Timekeeping:
    """Go by NTP where it keeps the system's clock, unless signed time says otherwise."""
    if reading.ntp_error_s is None:
        return known
    found = _by_network(reading, reading.ntp_error_s)
    apart_s = abs(found.delta_s - known.delta_s)
    if known.source is ClockSource.SERVER and apart_s > found.error_s + known.bound_s(
        reading.ticks_s
    ):
        # NTP is not signed: whoever forges it must not move the schedule.
        return known
    if known.source is ClockSource.NETWORK and apart_s < SLACK_S:
        # Reading two clocks jitters; moving by that would be heard.
        return replace(found, delta_s=known.delta_s)
    return found


def told(known: Timekeeping, at_s: float, *, asked_s: float, answered_s: float) -> Timekeeping:
    """Take the server's time, told between two counts of the ticks.

    The server's clock said ``at_s`` at some moment between them, and nobody can tell which: the
    middle is wrong by half of the time between at most, and by what the ticks drift meanwhile. A
    clock that is no further from it than that is left as it is.
    """
    between_s = max(0.0, answered_s - asked_s)
    error_s = between_s / 2 + DRIFT * between_s + SLACK_S
    middle_s = at_s + between_s / 2
    off_s = middle_s - known.now_s(answered_s)
    bound_s = known.bound_s(answered_s)
    agree = abs(off_s) <= error_s + bound_s
    if agree and known.is_kept(answered_s):
        return known
    if known.source is not ClockSource.NONE and agree and bound_s <= error_s:
        return known
    if abs(off_s) <= error_s:
        return Timekeeping(known.delta_s, ClockSource.SERVER, abs(off_s) + error_s, answered_s)
    return Timekeeping(known.delta_s + off_s, ClockSource.SERVER, error_s, answered_s)


def pulled(known: Timekeeping, issued_s: float, ticks_s: float) -> Timekeeping:
    """Go by when an order was issued that has just come, while nothing better is known."""
    off_s = issued_s - known.now_s(ticks_s)
    if known.source is not ClockSource.NONE or abs(off_s) <= LEEWAY.total_seconds():
        return known
    return replace(known, delta_s=known.delta_s + off_s)


def judged_instead(
    raw: bytes, refused: RefusedError, now: datetime, within: timedelta | None
) -> datetime | None:
    """Tell at which instant to judge a message again whose times the clock has refused.

    Args:
        raw: The message.
        refused: Why it was refused.
        now: The time that it was refused by.
        within: How wrong that may be; None where nothing vouches for it.

    Returns:
        When it was issued, where that may be now, or where it proves itself to be fresh; else None.
    """
    if refused.refusal not in {Refusal.EXPIRED, Refusal.NOT_YET_VALID}:
        return None
    try:
        token = unverified(raw)
        issued = datetime.fromtimestamp(token.iat, now.tzinfo)
    except (RefusedError, ValueError, OverflowError, OSError):
        return None
    if within is None or isinstance(token.msg, SignedTime):
        return issued
    return issued if abs(issued - now) <= within else None
