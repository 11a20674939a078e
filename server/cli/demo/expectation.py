"""What should have been heard at one cluster, worked out from the orders alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.cli.demo.report import KIND_SLOT, Order

SETTLE_S = 1.5
"""After an announcement's end or stop, the programme must be back within this."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which one order may sound, and within it the time in which it must.

    Attributes:
        order: What sounds.
        zero: When its first sample sounded, or would have.
        start, end: Nothing of it may be heard outside.
        sure_start, sure_end: All of it must be heard inside.
    """

    order: Order
    zero: datetime
    start: datetime
    end: datetime
    sure_start: datetime
    sure_end: datetime


def stretches(
    orders: Sequence[Order],
    cluster: str,
    zeros: Mapping[str, datetime],
    lengths_s: Mapping[str, float],
) -> list[Stretch]:
    """Lay out what one cluster sounds.

    Args:
        orders: All orders of the run.
        cluster: The cluster in question.
        zeros: When each order's first sample was found there.
        lengths_s: How long each order's source is.
    """
    mine = [order for order in orders if cluster in order.targets and order.id in zeros]
    urgent = [
        _whole(order, zeros[order.id], lengths_s[order.id])
        for order in mine
        if order.kind != KIND_SLOT
    ]
    laid = list(urgent)
    for order in mine:
        if order.kind == KIND_SLOT:
            laid += _around(_whole(order, zeros[order.id], lengths_s[order.id]), urgent)
    return laid


def is_cut(order: Order, cluster: str, orders: Sequence[Order], length_s: float) -> bool:
    """Say whether an urgent order took the loudspeakers from a programme."""
    if order.kind != KIND_SLOT:
        return False
    end = order.earliest + timedelta(seconds=length_s)
    return any(
        other.kind != KIND_SLOT
        and cluster in other.targets
        and order.earliest <= other.earliest < end
        for other in orders
    )


def expected_outcome(order: Order, cluster: str, orders: Sequence[Order], length_s: float) -> str:
    """Tell how an order's record must end at one of its targets."""
    if order.stopped_at is not None:
        return "stopped"
    return "cut" if is_cut(order, cluster, orders, length_s) else "played"


def _whole(order: Order, zero: datetime, length_s: float) -> Stretch:
    end = zero + timedelta(seconds=length_s)
    if order.stopped_at is None:
        closed = end + timedelta(seconds=order.closing_s)
        return Stretch(order, zero, zero, closed, zero, end)
    settled = order.stopped_at + timedelta(seconds=SETTLE_S)
    return Stretch(order, zero, zero, min(end, settled), zero, min(end, order.stopped_at))


def _around(programme: Stretch, urgent: Sequence[Stretch]) -> list[Stretch]:
    """Cut out of a programme what urgent orders took, giving it time to come back."""
    left: list[Stretch] = []
    start = sure_start = programme.start
    for taken in sorted(urgent, key=lambda stretch: stretch.start):
        if taken.end <= programme.start or taken.start >= programme.end:
            continue
        left.append(
            Stretch(programme.order, programme.zero, start, taken.start, sure_start, taken.start)
        )
        start = min(taken.end, taken.sure_end)
        sure_start = taken.sure_end + timedelta(seconds=SETTLE_S)
    left.append(
        Stretch(programme.order, programme.zero, start, programme.end, sure_start, programme.end)
    )
    return left
