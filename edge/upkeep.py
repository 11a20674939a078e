"""Orders to this one box: what it cannot do now, and what becomes of the others."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import final

from edge.playout import Playout
from edge.runs import UNNUMBERED, ClaimKey
from edge.schedule import Order
from protocol.errors import Refusal, RefusedError
from protocol.messages import (
    BulletinClass,
    Claim,
    Done,
    Hush,
    Identify,
    LiftHush,
    Mode,
    Play,
    Restart,
    SoundCheck,
    Stop,
)
from protocol.precedence import key

LAMPS, NO_LAMPS = "lamps", "no-lamps"

UNDISTURBED = timedelta(seconds=15)
"""So long must nothing begin for a restart that waits: it takes the node a few seconds."""


@final
class UpkeepDesk:
    """Carries out what is no sound; the sound of a check is the playout's.

    Args:
        blink: Blinks the lamps for some seconds; False where there are none.
    """

    def __init__(self, blink: Callable[[float], bool]) -> None:
        self._blink = blink
        self._restart: Restart | None = None

    def take(self, order: Order, now: datetime) -> Done | None:
        """Carry out an order that was accepted, and give what is to be reported of it."""
        match order.message:
            case Identify(order_id=order_id, lasts_s=lasts_s):
                how = LAMPS if self._blink(lasts_s) else NO_LAMPS
                return Done(report_id=UNNUMBERED, claim_id=order_id, at=now, detail=how)
            case Restart() as restart:
                self._restart = restart
            case Play() | Stop() | Hush() | LiftHush() | SoundCheck():
                pass
        return None

    def is_to_restart(self, playout: Playout, now: datetime) -> bool:
        """Say whether a restart was ordered that need not wait any more."""
        if self._restart is None:
            return False
        return self._restart.at_once or not (
            playout.current is not None or _begins_soon(playout, now)
        )


def check_able(order: Order, playout: Playout, now: datetime, *, trouble: str) -> None:
    """Refuse what this box cannot do now; whoever ordered it is there, and waits to be told.

    Args:
        order: What was ordered, and is genuine.
        playout: What sounds, and by what rules.
        now: The time.
        trouble: Why the disk takes nothing; empty: it does.

    Raises:
        RefusedError: With what stands in the way.
    """
    match order.message:
        case SoundCheck(claim=claim):
            _check_may_sound(claim, playout, now)
        case Restart(at_once=at_once):
            if trouble:
                # What it knows is in memory alone, and would be lost.
                raise RefusedError(Refusal.UNABLE, trouble)
            sounding = _sounding(playout)
            if at_once and sounding is not None and _is_emergency(sounding):
                raise RefusedError(Refusal.BUSY, sounding.claim_id)
        case Play() | Stop() | Hush() | LiftHush() | Identify():
            pass


def restarted(
    orders: Mapping[str, Order], done: Mapping[ClaimKey, datetime], now: datetime
) -> dict[ClaimKey, tuple[Done, datetime]]:
    """Find the restarts ordered in an earlier life of the program that nobody was told of yet.

    Returns:
        By key, what to report, and how long to remember that it was.
    """
    found = {}
    for order in orders.values():
        if isinstance(order.message, Restart):
            order_key = ClaimKey(f"{order.message.unit}/{order.message.order_id}")
            if order_key not in done:
                word = Done(report_id=UNNUMBERED, claim_id=order.message.order_id, at=now)
                found[order_key] = word, order.matters_until
    return found


def _check_may_sound(claim: Claim, playout: Playout, now: datetime) -> None:
    policy, sounding = playout.programme.policy, _sounding(playout)
    silence = policy.hushed_by(claim, now)
    if silence is not None:
        raise RefusedError(Refusal.HUSHED, silence.hush_id)
    if not policy.permits(claim, now):
        raise RefusedError(Refusal.QUIET_HOURS, claim.claim_id)
    if sounding is not None and key(claim, now, policy) > key(sounding, now, policy):
        raise RefusedError(Refusal.BUSY, sounding.claim_id)


def _sounding(playout: Playout) -> Claim | None:
    if playout.current is None:
        return None
    return playout.programme.claims.get(playout.current.key)


def _begins_soon(playout: Playout, now: datetime) -> bool:
    return any(
        now < time.start <= now + UNDISTURBED
        for claim_key, time in playout.times.items()
        if claim_key not in playout.done
    )


def _is_emergency(claim: Claim) -> bool:
    return claim.bulletin_class is BulletinClass.EMERGENCY and claim.mode is Mode.REAL
