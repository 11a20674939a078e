"""What plans are compiled from, boiled down to a digest for each unit."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from server.domain.units import Tree
from server.services.keyring import certificates_by_unit
from server.services.turn_taking import turns_of
from server.store.models import (
    BroadcastRow,
    ClaimRankRow,
    FrameRow,
    HushRow,
    SlotItemRow,
    SlotRow,
    SlotTargetRow,
)

RECIPE = 2
"""Raised when the same sources compile to something else than before."""


def sources(
    db: Session,
    *,
    units: Tree,
    start: datetime,
    end: datetime,
    now: datetime,
    unit_ids: Collection[str] | None = None,
) -> dict[str, str]:
    """Digest, for each unit or for some, all that its plan from ``start`` to ``end`` rests on."""
    wanted = list(units.units if unit_ids is None else unit_ids)
    rests_on = {
        unit: hashlib.sha256(_told((RECIPE, start, end, units.unit(unit).level_rank)))
        for unit in wanted
    }
    slots = select(SlotRow.unit_id, *SlotRow.__table__.c).where(SlotRow.withdrawn_at.is_(None))
    targets = (
        select(SlotRow.unit_id, *SlotTargetRow.__table__.c)
        .join(SlotRow, SlotRow.slot_id == SlotTargetRow.slot_id)
        .where(SlotRow.withdrawn_at.is_(None))
        .order_by(SlotTargetRow.slot_id, SlotTargetRow.kind, SlotTargetRow.ref)
    )
    items = (
        select(SlotRow.unit_id, *SlotItemRow.__table__.c)
        .join(SlotRow, SlotRow.slot_id == SlotItemRow.slot_id)
        .where(SlotRow.withdrawn_at.is_(None))
        .order_by(SlotItemRow.slot_id, SlotItemRow.position)
    )
    live = select(BroadcastRow.unit_id, BroadcastRow.broadcast_id).where(
        BroadcastRow.stopped_at.is_(None), BroadcastRow.end > now
    )
    ranks = select(ClaimRankRow.unit_id, ClaimRankRow.claim_id, ClaimRankRow.rank).where(
        ClaimRankRow.ends > start
    )
    # How far a plan's numbers have come tells its hushes and their lifts.
    hushed = select(HushRow.unit_id, HushRow.number, HushRow.lift_number)
    for rows, owner in (
        (slots.order_by(SlotRow.slot_id), SlotRow.unit_id),
        (targets, SlotRow.unit_id),
        (items, SlotRow.unit_id),
        (live.order_by(BroadcastRow.broadcast_id), BroadcastRow.unit_id),
        (ranks.order_by(ClaimRankRow.claim_id), ClaimRankRow.unit_id),
        (hushed.order_by(HushRow.number), HushRow.unit_id),
    ):
        for row in db.execute(rows if unit_ids is None else rows.where(owner.in_(wanted))):
            if row[0] in rests_on:
                rests_on[row[0]].update(_told(row))
    for unit in _resolved_here(db, units, wanted):
        rests_on[unit].update(_told(_who_is_where(units, unit)))
    for unit, turns in turns_of(db, wanted, units).items():
        rests_on[unit].update(_told((*sorted(turns.items()), *_who_is_where(units, unit))))
    for unit, frame in _frames(db, units=units, wanted=wanted):
        rests_on[unit].update(_told(frame))
    for unit, keys in certificates_by_unit(db, wanted, now=now).items():
        rests_on[unit].update(_told(keys))
    return {unit: digest.hexdigest() for unit, digest in rests_on.items()}


def _told(fact: Iterable[object]) -> bytes:
    return f"{tuple(fact)!r}\n".encode()


def _resolved_here(db: Session, units: Tree, wanted: Sequence[str]) -> Iterator[str]:
    """Yield the units whose slots name groups or languages, which the server resolves itself."""
    by_group = (
        select(SlotTargetRow.slot_id)
        .where(SlotTargetRow.kind == "group", SlotTargetRow.slot_id == SlotRow.slot_id)
        .exists()
    )
    rows = (
        select(SlotRow.unit_id)
        .distinct()
        .where(SlotRow.withdrawn_at.is_(None), by_group | (cast(SlotRow.languages, Text) != "[]"))
    )
    if len(wanted) < len(units.units):
        rows = rows.where(SlotRow.unit_id.in_(wanted))
    yield from sorted(set(db.scalars(rows)).intersection(wanted))


def _who_is_where(units: Tree, unit_id: str) -> tuple[object, ...]:
    under = sorted(units.clusters_under(unit_id))
    return (
        tuple((one, units.clusters[one], *sorted(units.languages.get(one, ()))) for one in under),
        tuple((group, *sorted(members)) for group, members in sorted(units.groups.items())),
    )


def _frames(
    db: Session, *, units: Tree, wanted: Sequence[str]
) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield each frame with each unit whose plan it stands in: its own, and whoever it is given to.

    A frame given to a level is named in the plans of that level's units.
    """
    rows = select(*FrameRow.__table__.c).where(FrameRow.withdrawn_at.is_(None))
    if len(wanted) < len(units.units):
        above = {upper for unit in wanted for upper in units.chain(unit)}
        rows = rows.where(FrameRow.unit_id.in_(above))
    given: dict[int, list[tuple[str, tuple[object, ...]]]] = {}
    own: dict[str, list[tuple[object, ...]]] = {}
    for row in db.execute(rows.order_by(FrameRow.frame_id)):
        own.setdefault(row.unit_id, []).append(tuple(row))
        if row.owner_rank is not None:
            given.setdefault(row.owner_rank, []).append((row.unit_id, tuple(row)))
    for unit in wanted:
        yield from ((unit, frame) for frame in own.get(unit, ()))
        from_above = given.get(units.unit(unit).level_rank, ())
        chain = units.chain(unit)[:-1] if from_above else ()
        yield from ((unit, frame) for upper, frame in from_above if upper in chain)
