"""Announcements that are over: plans no longer tell of them, but a day's picture must."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from protocol.content import lasts_as_its_claim, layout, length_s
from protocol.messages import Claim, Content, Play
from protocol.signing import unverified
from server.store.models import BroadcastRow


def over_by_now(
    db: Session, unit_ids: Iterable[str], *, start: datetime, end: datetime, now: datetime
) -> list[Claim]:
    """Read what some units announced in a stretch and what is over or was stopped by ``now``.

    A stopped one ends when it was stopped; one that was stopped before it began is left out.
    """
    rows = select(BroadcastRow.token, BroadcastRow.stopped_at, BroadcastRow.end).where(
        BroadcastRow.unit_id.in_(tuple(unit_ids)),
        BroadcastRow.start < end,
        BroadcastRow.end > start,
        or_(BroadcastRow.stopped_at.is_not(None), BroadcastRow.end <= now),
    )
    found = []
    for token, stopped_at, latest in db.execute(rows.order_by(BroadcastRow.broadcast_id)):
        order = unverified(token).msg
        if not isinstance(order, Play):
            continue
        # Somebody who speaks ends sooner than they might have.
        ends = min(latest, order.claim.end, stopped_at or latest)
        if ends > order.claim.start:
            found.append(_until(order.claim, ends))
    return found


def _until(claim: Claim, ends: datetime) -> Claim:
    """Cut a claim short, its content too: one that cannot end in its time is never begun."""
    room_s = (ends - claim.start).total_seconds()
    if lasts_as_its_claim(claim.content) or length_s(claim.content) <= room_s:
        return msgspec.structs.replace(claim, end=ends)
    # The pauses between the turns of what is repeated are left out of the picture.
    items = tuple(
        msgspec.structs.replace(
            placed.asset, duration_s=min(placed.asset.duration_s, room_s - placed.offset_s)
        )
        for placed in layout(claim.content)
        if placed.offset_s < room_s
    )
    return msgspec.structs.replace(claim, end=ends, content=Content(items=items))
