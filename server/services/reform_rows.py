"""Write a reform down: its dated rows when it is approved, what it passes on when its day comes."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from protocol.messages import Targets
from server.domain.bulletins import Answer
from server.domain.reform_slots import Retargeted
from server.domain.reforms import Drawing
from server.domain.slots import Slot
from server.services.keyring import Keyring
from server.services.reform_contacts import pass_on_contacts
from server.services.reform_effects import (
    AssetFate,
    Effects,
    FrameFate,
    GrantFate,
    LetterFate,
)
from server.services.units import enter_unit
from server.store.inserts import insert_many, insert_new
from server.store.models import (
    AssetRow,
    BulletinCopyRow,
    ClusterUnitRow,
    FrameRow,
    GrantRow,
    GroupRow,
    SlotItemRow,
    SlotRow,
    SlotTargetRow,
    UnitEdgeRow,
    UnitKeyRow,
    UnitRow,
)
from server.store.queries.among import among
from server.store.queries.lists import WHOLE_SLOT

_A_DAY = timedelta(days=1)
_NOT_COPIED = frozenset({"slot_id", "unit_id", "first_day", "excluded_days", "version"})


def redraw(db: Session, drawing: Drawing, *, day: date, now: datetime, keyring: Keyring) -> None:
    """Write the new tree down from a day on; until then every day keeps its own."""
    for new in sorted(drawing.born, key=lambda new: new.level_rank):
        enter_unit(db, new, since=day, now=now, keyring=keyring)
    db.flush()  # places refer to the new units
    parents = {move.cluster_id: move.after for move in drawing.reparented}
    _end_edges(db, drawing.ended, day)
    _hang_elsewhere(db, parents, day)
    ended = update(UnitRow).where(among(UnitRow.unit_id, drawing.ended))
    db.execute(ended.values(valid_to=day))
    _move_clusters(db, {move.cluster_id: move.after for move in drawing.moves}, day)


def keep_reaching(db: Session, reaches: Iterable[Retargeted]) -> dict[str, list[list[str]]]:
    """Let slots of units that live on target what they would miss; it is so on every day.

    Returns:
        What each of them targets besides now, kind and reference.
    """
    added: dict[str, list[list[str]]] = {}
    for one in reaches:
        slot_id = one.slot.slot_id
        mine = select(SlotTargetRow.kind, SlotTargetRow.ref).where(SlotTargetRow.slot_id == slot_id)
        known = {(kind, ref) for kind, ref in db.execute(mine)}
        wanted = [pair for pair in _target_pairs(one.added) if pair not in known]
        rows = [{"slot_id": slot_id, "kind": kind, "ref": ref} for kind, ref in wanted]
        if rows:
            insert_new(db, SlotTargetRow, rows)
            row = db.get_one(SlotRow, slot_id)
            row.version += 1
            added[slot_id] = [list(pair) for pair in wanted]
    return added


def take_back(db: Session, settled: Mapping[str, Any], *, day: date) -> None:
    """Write down again what stood there before a reform of a day to come; see ``redraw``."""
    born, ended = settled["born"], settled["ended"]
    children = [*born, *ended, *settled["reparented"]]
    mine = among(UnitEdgeRow.child_id, children)
    db.execute(delete(UnitEdgeRow).where(mine, UnitEdgeRow.valid_from == day))
    db.execute(update(UnitEdgeRow).where(mine, UnitEdgeRow.valid_to == day).values(valid_to=None))
    moved = among(ClusterUnitRow.cluster_id, settled["moves"])
    db.execute(delete(ClusterUnitRow).where(moved, ClusterUnitRow.valid_from == day))
    closed = update(ClusterUnitRow).where(moved, ClusterUnitRow.valid_to == day)
    db.execute(closed.values(valid_to=None))
    db.execute(update(UnitRow).where(among(UnitRow.unit_id, ended)).values(valid_to=None))
    for slot_id, pairs in settled.get("reaching", {}).items():
        for kind, ref in pairs:
            target = (SlotTargetRow.kind == kind) & (SlotTargetRow.ref == ref)
            db.execute(delete(SlotTargetRow).where(SlotTargetRow.slot_id == slot_id, target))
        grown = update(SlotRow).where(SlotRow.slot_id == slot_id)
        db.execute(grown.values(version=SlotRow.version + 1))
    db.execute(delete(UnitKeyRow).where(among(UnitKeyRow.unit_id, born)))
    db.execute(delete(UnitRow).where(among(UnitRow.unit_id, born)))
    db.expire_all()  # what was read before stood otherwise


def pass_on(db: Session, drawing: Drawing, found: Effects, *, day: date, now: datetime) -> None:
    """Pass on what units that end leave behind; a slot that collides by now ends with them."""
    collided = {one.slot.slot_id for one in found.collisions}
    wanted = select(SlotRow).where(
        among(SlotRow.slot_id, [one.slot.slot_id for one in found.slots])
    )
    rows = {row.slot_id: row for row in db.scalars(wanted.options(*WHOLE_SLOT))}
    _copy_slots(
        db,
        [
            (rows[one.slot.slot_id], passed)
            for one in found.slots
            if one.slot.slot_id not in collided
            for passed in one.passed
        ],
    )
    _end_slots(db, list(rows), day=day, now=now)
    keep_reaching(db, found.reaches)
    frames = select(FrameRow).where(
        among(FrameRow.frame_id, [one.frame_id for one in found.frames])
    )
    # Read at once: each reading would look through all slots above for what is to be written.
    laid_down = {row.frame_id: row for row in db.scalars(frames)}
    for frame in found.frames:
        _pass_frame(db, frame, laid_down[frame.frame_id], drawing, now=now)
    _grant(db, found.grants)
    for group in found.groups:
        moved = update(GroupRow).where(GroupRow.group_id == group.group_id)
        db.execute(moved.values(unit_id=group.to))
    taking = update(UnitRow).where(among(UnitRow.unit_id, found.turns))
    db.execute(taking.values(takes_turns=True))
    _pass_assets(db, found.assets)
    _pass_letters(db, found.letters, drawing)
    pass_on_contacts(db, found.contacts, found.rules, now=now)
    db.flush()  # plans are compiled from the rows


def _end_edges(db: Session, units: Sequence[str], day: date) -> None:
    mine = among(UnitEdgeRow.child_id, units)
    db.execute(delete(UnitEdgeRow).where(mine, UnitEdgeRow.valid_from == day))
    open_ = update(UnitEdgeRow).where(mine, UnitEdgeRow.valid_to.is_(None))
    db.execute(open_.values(valid_to=day))


def _hang_elsewhere(db: Session, parents: Mapping[str, str], day: date) -> None:
    open_ = select(UnitEdgeRow).where(among(UnitEdgeRow.child_id, parents))
    for row in db.scalars(open_.where(UnitEdgeRow.valid_to.is_(None))).all():
        parent = parents[row.child_id]
        if row.valid_from == day:  # another reform of this very day
            row.parent_id = parent
            continue
        row.valid_to = day
        db.add(UnitEdgeRow(child_id=row.child_id, parent_id=parent, valid_from=day))
    db.flush()  # read back as the new tree


def _move_clusters(db: Session, places: Mapping[str, str], day: date) -> None:
    if not places:
        return
    mine = among(ClusterUnitRow.cluster_id, places) & ClusterUnitRow.valid_to.is_(None)
    fresh = select(ClusterUnitRow).where(mine, ClusterUnitRow.valid_from == day)
    young = db.scalars(fresh).all()
    for row in young:  # it has belonged nowhere on any day before
        row.unit_id = places[row.cluster_id]
    db.flush()  # the next statement must not close these
    older = update(ClusterUnitRow).where(mine, ClusterUnitRow.valid_from < day)
    db.execute(older.values(valid_to=day))
    moved = places.keys() - {row.cluster_id for row in young}
    rows = [
        {"cluster_id": cluster, "unit_id": places[cluster], "valid_from": day}
        for cluster in sorted(moved)
    ]
    insert_many(db, ClusterUnitRow, rows)


def _end_slots(db: Session, slots: Collection[str], *, day: date, now: datetime) -> None:
    grown = (
        update(SlotRow)
        .where(among(SlotRow.slot_id, slots))
        .execution_options(synchronize_session=False)
    )
    version = SlotRow.version + 1
    begun, still_to_come = SlotRow.first_day < day, SlotRow.first_day >= day
    db.execute(grown.where(still_to_come).values(version=version, withdrawn_at=now))
    db.execute(grown.where(begun).values(version=version, last_day=day - _A_DAY))


def _copy_slots(db: Session, copies: Sequence[tuple[SlotRow, Slot]]) -> None:
    """Enter what slots become; as columns, for there are thousands on one night."""
    slots = [_copied(row, passed) for row, passed in copies]
    items = [
        {"slot_id": passed.slot_id, "position": item.position, "asset_digest": item.asset_digest}
        for row, passed in copies
        for item in row.items
    ]
    targets = [
        {"slot_id": passed.slot_id, "kind": kind, "ref": ref}
        for _, passed in copies
        for kind, ref in _target_pairs(passed.targets)
    ]
    for table, rows in ((SlotRow, slots), (SlotItemRow, items), (SlotTargetRow, targets)):
        if rows:
            db.execute(insert(table), rows)


def _copied(row: SlotRow, passed: Slot) -> dict[str, Any]:
    columns = [column.key for column in SlotRow.__table__.columns if column.key not in _NOT_COPIED]
    return {
        **{key: getattr(row, key) for key in columns},
        "slot_id": passed.slot_id,
        "unit_id": passed.unit_id,
        "first_day": passed.rule.first_day,
        "excluded_days": sorted(excluded.isoformat() for excluded in passed.rule.excluded),
        "version": 1,
    }


def _target_pairs(targets: Targets) -> list[tuple[str, str]]:
    named = [("unit", ref) for ref in targets.units]
    return named + [("cluster", ref) for ref in targets.clusters]


def _pass_frame(
    db: Session, one: FrameFate, row: FrameRow, drawing: Drawing, *, now: datetime
) -> None:
    if row.unit_id not in drawing.ended and one.to:
        row.owner_id = one.to[0]
        return
    for taker in one.to:
        db.add(
            FrameRow(
                frame_id=f"f-{uuid.uuid4().hex[:16]}",
                unit_id=taker,
                owner_id=taker if row.owner_id == row.unit_id else row.owner_id,
                owner_rank=row.owner_rank,
                kind=row.kind,
                weekdays=row.weekdays,
                local_start=row.local_start,
                local_end=row.local_end,
                session_limit_s=row.session_limit_s,
                volume_ceiling_db=row.volume_ceiling_db,
                legal_reference=row.legal_reference,
            )
        )
    row.withdrawn_at = now


def _grant(db: Session, grants: Iterable[GrantFate]) -> None:
    rows = [
        {"user_id": one.user_id, "role": one.role, "unit_id": unit}
        for one in grants
        for unit in one.to
    ]
    insert_new(db, GrantRow, rows)


def _pass_assets(db: Session, assets: Iterable[AssetFate]) -> None:
    by_taker: dict[str, list[str]] = {}
    for one in assets:
        if one.to:
            by_taker.setdefault(one.to, []).append(one.digest)
    for taker, digests in by_taker.items():
        moved = update(AssetRow).where(among(AssetRow.digest, digests))
        db.execute(moved.values(unit_id=taker))


def _pass_letters(db: Session, letters: Iterable[LetterFate], drawing: Drawing) -> None:
    """Put what waits at units that end into the inboxes of those that take over."""
    for one in letters:
        row = db.get_one(BulletinCopyRow, (one.bulletin_id, one.unit_id))
        if not one.to:
            continue
        answer = Answer.UNPLACED if row.answer == Answer.UNPLACED else Answer.WAITING
        rows = [
            {
                "bulletin_id": one.bulletin_id,
                "unit_id": taker,
                "answer": answer.value,
                "reason": row.reason if answer is Answer.UNPLACED else "",
                "clusters": len(drawing.after.own_clusters(taker)),
                "sounded": 0,
            }
            for taker in one.to
        ]
        db.delete(row)
        insert_new(db, BulletinCopyRow, rows)
