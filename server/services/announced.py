"""What units have announced, out of the signed orders: what may still sound, and what is over.

Plans tell of the first alone; a day's picture must tell of both.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from protocol.messages import Claim, Play
from protocol.signing import unverified
from server.store.models import BroadcastRow
from server.store.queries.among import among
from server.store.types import InstantType

_NOW, _START, _END, _SINCE = (
    bindparam(name, type_=InstantType()) for name in ("now", "start", "end", "since")
)
_TOLD = (
    select(BroadcastRow.unit_id, BroadcastRow.token, BroadcastRow.stopped_at, BroadcastRow.end)
    .where(among(BroadcastRow.unit_id, "units"))
    .order_by(BroadcastRow.broadcast_id)
)
_LASTS = BroadcastRow.stopped_at.is_(None) & (BroadcastRow.end > _NOW)
_IS_OVER = (
    (BroadcastRow.start < _END)
    & (BroadcastRow.end > _START)
    & or_(BroadcastRow.stopped_at.is_not(None), BroadcastRow.end <= _NOW)
)
_LASTING = _TOLD.where(_LASTS)
_OVER = _TOLD.where(_IS_OVER)
# What is common to both is said once more, in words for which there is an index.
_EITHER = _TOLD.where(BroadcastRow.end > _SINCE, _LASTS | _IS_OVER)

Lasting = dict[str, list[Claim]]
"""The claims of each unit that may still sound."""


@dataclass(frozen=True, slots=True)
class Over:
    """Announcements that are over.

    Attributes:
        claims: As they were ordered, those that were stopped too.
        stops: From when these are over, by their units and ids, as ``Policy`` has it.
    """

    claims: tuple[Claim, ...]
    stops: Mapping[tuple[str, str], datetime]


def lasting_of(db: Session, unit_id: str, *, now: datetime) -> list[Claim]:
    """Read the claims of a unit's broadcasts that may still sound."""
    return lasting_by_unit(db, [unit_id], now=now).get(unit_id, [])


def lasting_by_unit(db: Session, unit_ids: Collection[str], *, now: datetime) -> Lasting:
    """Read the same of several units at once."""
    return _parted(db.execute(_LASTING, {"units": unit_ids, "now": now}), now)[0]


def over_by_now(
    db: Session, unit_ids: Collection[str], *, start: datetime, end: datetime, now: datetime
) -> Over:
    """Read what some units announced in a stretch and what is over or was stopped by ``now``.

    One that was stopped before it began is left out.
    """
    asked = {"units": unit_ids, "start": start, "end": end, "now": now}
    return _parted(db.execute(_OVER, asked), now)[1]


def lasting_and_over(
    db: Session, unit_ids: Collection[str], *, start: datetime, end: datetime, now: datetime
) -> tuple[Lasting, Over]:
    """Read both with one question."""
    asked = {"units": unit_ids, "start": start, "end": end, "now": now, "since": min(start, now)}
    return _parted(db.execute(_EITHER, asked), now)


def _parted(
    rows: Iterable[tuple[str, bytes, datetime | None, datetime]], now: datetime
) -> tuple[Lasting, Over]:
    lasting: Lasting = {}
    claims: list[Claim] = []
    stops: dict[tuple[str, str], datetime] = {}
    for unit_id, token, stopped_at, latest in rows:
        order = unverified(token).msg
        if not isinstance(order, Play):
            continue
        claim = order.claim
        if stopped_at is None and latest > now:
            lasting.setdefault(unit_id, []).append(claim)
            continue
        # Somebody who speaks ends sooner than they might have. A stop counts in whole seconds, as
        # the order says it to which nodes hold.
        ends = min(latest, stopped_at.replace(microsecond=0) if stopped_at else latest)
        if ends <= claim.start:
            continue
        claims.append(claim)
        if ends < claim.end:
            stops[claim.unit, claim.claim_id] = ends
    return lasting, Over(tuple(claims), stops)
