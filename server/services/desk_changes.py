"""Changes at the desk: move, stretch and withdraw days of slots, and take the last change back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from server.domain.authority import Actor
from server.domain.clashes import Clash
from server.domain.errors import DeskRefusedError, Finding
from server.domain.offers import Offer
from server.services import offering, scheduling
from server.services.slot_hand import Hand, Step, document_of, steps_of
from server.services.slot_moves import Move, Scope, moved, without
from server.services.slot_requests import as_new
from server.store.models import SlotChangeRow, SlotRow
from server.store.queries.lists import WHOLE_SLOT

KEPT = timedelta(days=30)
"""How long a change can be taken back."""

_LOOKED_AT = 50


def move(hand: Hand, slot_id: str, wanted: Move, *, version: int) -> SlotChangeRow:
    """Move or stretch one day of a slot, the days from one on, or all of them.

    Raises:
        StaleError: Somebody has changed the slot since ``version``.
        NotAllowedError: The actor may not schedule for its unit.
        SlotRefusedError: With every rule that the new time breaks; nothing is changed.
    """
    _, before = hand.find(slot_id, version)
    outcome = moved(before, wanted, hand.now)
    steps = [hand.change(slot_id, before, outcome.kept, version)]
    if outcome.added is not None:
        steps.append(hand.add(outcome.added))
    return record(hand, "move", before.title, steps)


def ways_out(
    db: Session,
    slot_id: str,
    wanted: Move,
    found: Sequence[Clash],
    *,
    version: int,
    now: datetime,
    actor: Actor,
) -> tuple[Offer, ...]:
    """Offer what may be done instead of a move that was refused for clashes; each is tried out.

    What changes is told of the slot that is moved: ``local_start``, ``length_s``,
    ``excluded_days``, ``override``.
    """
    row = db.get(SlotRow, slot_id, options=WHOLE_SLOT)
    if row is None or row.withdrawn_at is not None or row.version != version:
        return ()
    outcome = moved(as_new(row), wanted, now)
    added = outcome.added
    new, rest = (outcome.kept, None) if added is None else (added, outcome.kept)
    if rest is not None and scheduling.check_slot(
        db, rest, now=now, actor=actor, replacing=slot_id
    ):
        return ()
    return offering.offers(db, new, found, now=now, actor=actor, replacing=slot_id, beside=rest)


def withdraw(hand: Hand, slot_id: str, scope: Scope, day: date, *, version: int) -> SlotChangeRow:
    """Withdraw one day of a slot, the days from one on, or all of them.

    Raises:
        StaleError: Somebody has changed the slot since ``version``.
        NotAllowedError: The actor may not schedule for its unit.
        SlotRefusedError: The slot does not come on that day.
    """
    _, before = hand.find(slot_id, version)
    left = without(before, scope, day, hand.now)
    if left is None:
        return record(hand, "withdraw", before.title, [hand.withdraw(slot_id, version)])
    return record(hand, "withdraw", before.title, [hand.change(slot_id, before, left, version)])


def undo(hand: Hand) -> SlotChangeRow:
    """Take back the actor's last change that still stands, all of it or nothing.

    Raises:
        StaleError: Somebody else has changed one of its slots since.
        DeskRefusedError: There is nothing to take back.
        SlotRefusedError: What was there has lost its place.
    """
    row = undoable(hand.db, hand.actor)
    if row is None:
        raise DeskRefusedError([Finding("nothing-to-undo")])
    _turn(hand, row)
    row.undone_at = hand.now
    return row


def redo(hand: Hand) -> SlotChangeRow:
    """Do again what the actor took back last, unless they have changed something else since.

    Raises:
        StaleError: Somebody else has changed one of its slots since.
        DeskRefusedError: There is nothing to do again.
        SlotRefusedError: Its time has been taken.
    """
    row = redoable(hand.db, hand.actor)
    if row is None:
        raise DeskRefusedError([Finding("nothing-to-redo")])
    _turn(hand, row)
    row.undone_at = None
    return row


def undoable(db: Session, actor: Actor) -> SlotChangeRow | None:
    """Find the change that ``undo`` would take back: where none stands, the last one, all the same.

    Who asks to take that back is told that it has been changed since.
    """
    rows = _done(db, actor)
    return _last_standing(db, rows) or next(iter(rows), None)


def redoable(db: Session, actor: Actor) -> SlotChangeRow | None:
    """Find the change that ``redo`` would do again: the earliest of those taken back."""
    last = _last_standing(db, _done(db, actor))
    undone = select(SlotChangeRow).where(
        SlotChangeRow.actor == actor.name, SlotChangeRow.undone_at.is_not(None)
    )
    if last is not None:
        undone = undone.where(SlotChangeRow.change_id > last.change_id)
    return db.scalar(undone.order_by(SlotChangeRow.change_id).limit(1))


def record(hand: Hand, kind: str, title: str, steps: list[Step]) -> SlotChangeRow:
    """Keep a change, so that it can be taken back; old ones and those taken back are forgotten."""
    gone = or_(SlotChangeRow.undone_at.is_not(None), SlotChangeRow.at < hand.now - KEPT)
    hand.db.execute(delete(SlotChangeRow).where(SlotChangeRow.actor == hand.actor.name, gone))
    row = SlotChangeRow(
        actor=hand.actor.name, at=hand.now, kind=kind, title=title, steps=document_of(steps)
    )
    hand.db.add(row)
    return row


def _done(db: Session, actor: Actor) -> Sequence[SlotChangeRow]:
    return db.scalars(
        select(SlotChangeRow)
        .where(SlotChangeRow.actor == actor.name, SlotChangeRow.undone_at.is_(None))
        .order_by(SlotChangeRow.change_id.desc())
        .limit(_LOOKED_AT)
    ).all()


def _last_standing(db: Session, rows: Sequence[SlotChangeRow]) -> SlotChangeRow | None:
    return next((row for row in rows if _stands(db, row)), None)


def _stands(db: Session, row: SlotChangeRow) -> bool:
    """Say whether its slots are as it has left them."""
    left = {step.slot_id: step.version for step in steps_of(row.steps)}
    versions = select(SlotRow.slot_id, SlotRow.version).where(SlotRow.slot_id.in_(left))
    return all(left[slot_id] == version for slot_id, version in db.execute(versions))


def _turn(hand: Hand, row: SlotChangeRow) -> None:
    steps = list(reversed(steps_of(row.steps)))
    turned = [hand.take_back(step) for step in steps]
    row.steps = document_of(turned)
    # The slots are as they were before, under a new version: changes around this one follow.
    now = {(step.slot_id, step.was): back.version for step, back in zip(steps, turned, strict=True)}
    others = select(SlotChangeRow).where(
        SlotChangeRow.actor == row.actor, SlotChangeRow.change_id != row.change_id
    )
    for other in hand.db.scalars(others):
        known = steps_of(other.steps)
        followed = [
            replace(step, version=now.get((step.slot_id, step.version), step.version))
            for step in known
        ]
        if followed != known:
            other.steps = document_of(followed)
