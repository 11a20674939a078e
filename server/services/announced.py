"""Announcements that are over: plans no longer tell of them, but a day's picture must."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from protocol.messages import Claim, Play
from protocol.signing import unverified
from server.store.models import BroadcastRow
from server.store.queries.among import among
from server.store.types import InstantType

_OVER = (
    select(BroadcastRow.token, BroadcastRow.stopped_at, BroadcastRow.end)
    .where(
        among(BroadcastRow.unit_id, "units"),
        BroadcastRow.start < bindparam("end", type_=InstantType()),
        BroadcastRow.end > bindparam("start", type_=InstantType()),
        or_(
            BroadcastRow.stopped_at.is_not(None),
            BroadcastRow.end <= bindparam("now", type_=InstantType()),
        ),
    )
    .order_by(BroadcastRow.broadcast_id)
)


@dataclass(frozen=True, slots=True)
class Over:
    """Announcements that are over.

    Attributes:
        claims: As they were ordered, those that were stopped too.
        stops: From when these are over, by their units and ids, as ``Policy`` has it.
    """

    claims: tuple[Claim, ...]
    stops: Mapping[tuple[str, str], datetime]


def over_by_now(
    db: Session, unit_ids: Iterable[str], *, start: datetime, end: datetime, now: datetime
) -> Over:
    """Read what some units announced in a stretch and what is over or was stopped by ``now``.

    One that was stopped before it began is left out.
    """
    asked = {"units": tuple(unit_ids), "start": start, "end": end, "now": now}
    claims: list[Claim] = []
    stops: dict[tuple[str, str], datetime] = {}
    for token, stopped_at, latest in db.execute(_OVER, asked):
        order = unverified(token).msg
        if not isinstance(order, Play):
            continue
        claim = order.claim
        # Somebody who speaks ends sooner than they might have. A stop counts in whole seconds, as
        # the order says it to which nodes hold.
        ends = min(latest, stopped_at.replace(microsecond=0) if stopped_at else latest)
        if ends <= claim.start:
            continue
        claims.append(claim)
        if ends < claim.end:
            stops[claim.unit, claim.claim_id] = ends
    return Over(tuple(claims), stops)
