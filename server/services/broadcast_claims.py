"""What a broadcast sounds like: its content, and the claim that nodes are ordered to play."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from protocol.content import length_s, opening_s
from protocol.messages import (
    BulletinClass,
    Claim,
    ClaimKind,
    Content,
    Mode,
    Severity,
    Targets,
)
from server.domain.errors import UnknownThingError
from server.domain.recurrence import local_day
from server.services.broadcast_requests import NewBroadcast, is_drill
from server.services.catalogue import default_opening, may_use, parts
from server.services.drill_labels import drill_labels, labelled, marked
from server.services.slot_values import asset_ref
from server.services.units import tree
from server.store.models import AssetRow

CLOSING = timedelta(seconds=5)
"""In which nodes close a live broadcast that was spoken for as long as it may be."""

LATE = timedelta(minutes=5)
"""How long after its time an announcement may still be begun by a node that was away."""


def new_id() -> str:
    """Make the id of an announcement."""
    return f"b-{uuid.uuid4().hex[:16]}"


def content_of(db: Session, new: NewBroadcast, *, now: datetime) -> Content:
    """Tell what would sound, to be heard beforehand.

    Raises:
        UnknownThingError: The unit may use no such file.
    """
    places = tree(db, today=local_day(now))
    asset = db.get(AssetRow, new.asset_digest)
    if asset is None or not may_use(places, asset, new.unit_id):
        raise UnknownThingError("asset", new.asset_digest[:64])
    chain = places.chain(new.unit_id)
    labels = drill_labels(db, chain=chain) if is_drill(new) else None
    said = labelled(parts(db, asset), labels)
    return content(new, said, default_opening(db, chain=chain))


def content(new: NewBroadcast, said: Iterable[AssetRow], opening: AssetRow | None) -> Content:
    """Put together what sounds: an opening, and what is said or whoever speaks."""
    first = asset_ref(opening) if opening else None
    if new.live is not None:
        return Content(opening=first, live=new.live)
    return Content(
        opening=first,
        items=tuple(map(asset_ref, said)),
        repeat=new.repeat,
        gap_s=new.gap_s,
    )


def claim(
    new: NewBroadcast,
    content: Content,
    *,
    targets: Targets,
    level: int,
    start: datetime,
    now: datetime,
    broadcast_id: str,
) -> Claim:
    """Put together what nodes are ordered to play."""
    return Claim(
        claim_id=broadcast_id or new_id(),
        unit=new.unit_id,
        level=level,
        bulletin_class=BulletinClass(new.bulletin_class),
        kind=ClaimKind.ANNOUNCEMENT if content.live is None else ClaimKind.LIVE,
        issued_at=now,
        start=start,
        end=_latest_end(content, start),
        content=content,
        targets=targets,
        title=marked(new.title.strip(), mode=new.mode),
        mode=Mode(new.mode),
        severity=Severity(new.severity),
        gain_db=new.gain_db,
    )


def _latest_end(content: Content, start: datetime) -> datetime:
    if content.live is None:
        return start + timedelta(seconds=length_s(content)) + LATE
    longest_s = opening_s(content) + content.live.max_length_s
    return start + timedelta(seconds=longest_s) + CLOSING
