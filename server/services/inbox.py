"""A commune's inbox: what was sent to it, what waits for an answer, and where there is room."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from server.domain.bulletins import Answer, Copy, State, standing
from server.domain.errors import UnknownThingError
from server.domain.openings import decent, first_opening
from server.domain.recurrence import day_bounds, local_day
from server.domain.slots import Stretch
from server.services.planning import PLAN_DAYS, frames_of, slots_of
from server.services.slot_values import rule_of
from server.services.units import tree
from server.store.models import AssetRow, BulletinCopyRow, BulletinRow, SlotRow

SOON = timedelta(minutes=5)
"""How far ahead a suggested moment lies at least."""


@dataclass(frozen=True, slots=True)
class Received:
    """A bulletin in a commune's inbox, as of an instant.

    Attributes:
        slot: The slot it was given there.
        length_s: How long its sound lasts.
    """

    bulletin: BulletinRow
    copy: BulletinCopyRow
    slot: SlotRow | None
    standing: Answer
    length_s: float


def received(db: Session, unit_id: str, *, now: datetime, limit: int) -> list[Received]:
    """List what was sent to a commune: what waits for it first, the nearest deadline on top."""
    rows = _RECEIVED.where(BulletinCopyRow.unit_id == unit_id).order_by(
        BulletinRow.sent_at.desc(), BulletinRow.bulletin_id
    )
    found = [_received(row, now) for row in db.execute(rows.limit(limit))]
    waiting = [one for one in found if one.standing is Answer.WAITING]
    waiting.sort(key=lambda one: one.bulletin.deadline or now)
    return [*waiting, *(one for one in found if one.standing is not Answer.WAITING)]


def find(db: Session, bulletin_id: str, unit_id: str, *, now: datetime) -> Received:
    """Find one bulletin in a commune's inbox.

    Raises:
        UnknownThingError: No such bulletin was sent there.
    """
    rows = _RECEIVED.where(
        BulletinCopyRow.unit_id == unit_id, BulletinCopyRow.bulletin_id == bulletin_id
    )
    row = db.execute(rows).one_or_none()
    if row is None:
        raise UnknownThingError("bulletin", bulletin_id)
    return _received(row, now)


_RECEIVED = (
    select(BulletinRow, BulletinCopyRow, SlotRow, AssetRow.duration_s)
    .join(BulletinCopyRow, BulletinCopyRow.bulletin_id == BulletinRow.bulletin_id)
    .outerjoin(SlotRow, SlotRow.slot_id == BulletinCopyRow.slot_id)
    .outerjoin(AssetRow, AssetRow.digest == BulletinRow.asset_digest)
)


def _received(row: Row[BulletinRow, BulletinCopyRow, SlotRow, float], now: datetime) -> Received:
    bulletin, copy, slot, length_s = row
    found = standing(copy_of(copy, slot), now, bulletin.deadline)
    return Received(bulletin, copy, slot, found, length_s or 0.0)


def copy_of(copy: BulletinCopyRow, slot: SlotRow | None) -> Copy:
    """Turn rows into the value that the rules work on."""
    pulled = slot is not None and slot.withdrawn_at is not None
    return Copy(Answer(copy.answer), copy.until, copy.sounded, pulled)


def last_end(slot: SlotRow) -> datetime | None:
    """Tell when a slot is over for good; None: it comes without end, or never."""
    if slot.last_day is None:
        return None
    start, end = day_bounds(slot.first_day)[0], day_bounds(slot.last_day)[1]
    return max((ends for _, ends in rule_of(slot).occurrences(start, end)), default=None)


def unanswered(db: Session, units: Collection[str], *, now: datetime) -> int:
    """Count the bulletins that wait for an answer of some communes."""
    pulled = (BulletinCopyRow.answer == Answer.TAKEN) & SlotRow.withdrawn_at.is_not(None)
    counted = (
        select(func.count())
        .select_from(BulletinCopyRow)
        .join(BulletinRow, BulletinRow.bulletin_id == BulletinCopyRow.bulletin_id)
        .outerjoin(SlotRow, SlotRow.slot_id == BulletinCopyRow.slot_id)
        .where(
            BulletinCopyRow.unit_id.in_(units),
            BulletinCopyRow.sounded == 0,
            or_(BulletinCopyRow.answer == Answer.WAITING, pulled),
            BulletinRow.state == State.SENT,
            BulletinRow.deadline > now,
        )
    )
    return db.scalar(counted) or 0


def suggested(
    db: Session, unit_id: str, length_s: float, *, now: datetime, plan_days: int = PLAN_DAYS
) -> Stretch | None:
    """Find the next moment in a commune's hours that nothing of the ordinary class takes there."""
    units = tree(db, today=local_day(now))
    around = (now + SOON, now + timedelta(days=plan_days))
    chain = units.chain(unit_id)
    clusters = set(units.own_clusters(unit_id))
    busy = [
        stretch
        for above in chain
        for slot in slots_of(db, units=units, unit_id=above)
        if slot.clusters & clusters
        for stretch in slot.rule.occurrences(*around)
    ]
    return first_opening(
        timedelta(seconds=length_s),
        around,
        busy=busy,
        unit=units.unit(unit_id),
        above=chain,
        chain_frames=decent(frames_of(db, chain)),
    )
