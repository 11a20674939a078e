"""What became of sent bulletins: heard on how many clusters, and ended how; the report upward."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.domain.bulletins import Answer, State, concluded, standing
from server.domain.recurrence import local_day
from server.domain.slots import claim_id
from server.domain.units import Tree
from server.services import events
from server.services.inbox import copy_of, last_end
from server.services.slot_values import rule_of
from server.services.units import tree
from server.store.models import AsRunRow, BulletinCopyRow, BulletinRow, SlotRow

LISTENED_AFTER = timedelta(days=7)
"""How long after a bulletin has ended late words about it are still counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of a bulletin at one commune."""

    unit_id: str
    unit_name: str
    copy: BulletinCopyRow
    slot: SlotRow | None
    standing: Answer


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a bulletin everywhere."""

    lines: tuple[Line, ...]

    @property
    def counts(self) -> Counter[Answer]:
        """How many communes each answer was."""
        return Counter(line.standing for line in self.lines)

    @property
    def clusters(self) -> int:
        """How many clusters it was meant for."""
        return sum(line.copy.clusters for line in self.lines)

    @property
    def sounded(self) -> int:
        """On how many of them it has been heard."""
        return sum(line.copy.sounded for line in self.lines)


def report(
    db: Session, row: BulletinRow, *, units: Tree, seen: Collection[str] | None, now: datetime
) -> Report:
    """Tell what became of a bulletin at each commune that may be seen; None: at all."""
    lines = []
    for copy, slot in _copies(db, row):
        if seen is not None and copy.unit_id not in seen:
            continue
        unit = units.units.get(copy.unit_id)
        found = standing(copy_of(copy, slot), now, row.deadline)
        name = unit.name if unit else copy.unit_id
        lines.append(Line(copy.unit_id, name, copy, slot, found))
    return Report(tuple(lines))


def conclude(db: Session, *, now: datetime) -> int:
    """Count what has been heard of sent bulletins, and close those with nothing left to come.

    Returns:
        How many bulletins it brought news of.
    """
    watched = (
        select(BulletinRow)
        .where(
            or_(
                BulletinRow.state == State.SENT,
                (BulletinRow.state == State.PLAYED)
                & (BulletinRow.closed_at > now - LISTENED_AFTER),
            )
        )
        .order_by(BulletinRow.bulletin_id)
        .with_for_update()
    )
    rows = db.scalars(watched).all()
    if not rows:
        return 0
    units = tree(db, today=local_day(now))
    return sum(_is_news(db, row, units, now) for row in rows)


def _is_news(db: Session, row: BulletinRow, units: Tree, now: datetime) -> bool:
    pairs = _copies(db, row)
    news = _count(pairs, _heard(db, row, pairs, now), row, units)
    if row.state == State.SENT:
        ended = concluded([copy_of(*pair) for pair in pairs], now, row.deadline)
        if ended is not None:
            row.state, row.closed_at, news = ended.value, now, True
    if news:
        events.emit(db, kind="bulletin", ref=row.bulletin_id, now=now)
    return news


def _copies(db: Session, row: BulletinRow) -> list[tuple[BulletinCopyRow, SlotRow | None]]:
    pairs = (
        select(BulletinCopyRow, SlotRow)
        .outerjoin(SlotRow, SlotRow.slot_id == BulletinCopyRow.slot_id)
        .where(BulletinCopyRow.bulletin_id == row.bulletin_id)
        .order_by(BulletinCopyRow.unit_id)
    )
    return [(copy, slot) for copy, slot in db.execute(pairs)]


def _heard(
    db: Session,
    row: BulletinRow,
    pairs: Collection[tuple[BulletinCopyRow, SlotRow | None]],
    now: datetime,
) -> Mapping[str, set[str]]:
    """Find the clusters at which each claim has sounded, by slot or announcement."""
    claims = {row.broadcast_id: row.broadcast_id} if row.broadcast_id else {}
    since = row.sent_at or now
    for slot in {slot.slot_id: slot for _, slot in pairs if slot is not None}.values():
        for start, _ in rule_of(slot).occurrences(since, now):
            claims[claim_id(slot.slot_id, start)] = slot.slot_id
    sounding = select(AsRunRow.claim_id, AsRunRow.cluster_id).where(
        AsRunRow.claim_id.in_(claims), AsRunRow.start.is_not(None)
    )
    heard: dict[str, set[str]] = {}
    for claim, cluster in db.execute(sounding) if claims else ():
        heard.setdefault(claims[claim], set()).add(cluster)
    return heard


def _count(
    pairs: Collection[tuple[BulletinCopyRow, SlotRow | None]],
    heard: Mapping[str, set[str]],
    row: BulletinRow,
    units: Tree,
) -> bool:
    """Write down on how many of its clusters each commune has heard it; tell whether any is new."""
    is_new = False
    for copy, slot in pairs:
        if slot is not None:
            copy.until = last_end(slot)  # the commune may have moved it
        sounding = heard.get(slot.slot_id if slot else row.broadcast_id or "", set())
        here = sounding.intersection(units.own_clusters(copy.unit_id))
        if len(here) > copy.sounded:
            copy.sounded, is_new = len(here), True
    return is_new
