"""What a commune answers: it takes a bulletin into its own hours, or declines it."""

from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy.orm import Session

from protocol.messages import BulletinClass
from server.domain.authority import Action, Actor, demand_own
from server.domain.bulletins import Act, Answer, State, standing
from server.domain.errors import BulletinRefusedError, Finding, UnknownThingError
from server.domain.recurrence import EVERY_DAY, local_day
from server.domain.units import Tree
from server.services import scheduling
from server.services.bulletins import locked, note, refuse_without_reason
from server.services.inbox import copy_of, last_end
from server.services.keyring import Keyring
from server.services.planning import PLAN_DAYS
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import BulletinCopyRow, BulletinRow, SlotRow

MOST_DAYS = 92
"""How long a bulletin may be taken for: longer than any campaign, and an end is always in sight."""


@dataclass(frozen=True, slots=True)
class Airing:
    """When a commune airs a bulletin; times are on the wall in Asia/Ho_Chi_Minh."""

    local_start: time
    first_day: date
    recurrence: str = "once"
    last_day: date | None = None
    weekdays: int = EVERY_DAY


def take(
    db: Session,
    bulletin_id: str,
    unit_id: str,
    airing: Airing,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    plan_days: int = PLAN_DAYS,
) -> BulletinCopyRow:
    """Take a bulletin into a slot of the commune's own. The same again is done once.

    Circular 39/2020/TT-BTTTT: of an ordinary bulletin the commune chooses whether and when.

    Raises:
        UnknownThingError: No such bulletin was sent there.
        NotAllowedError: The actor does not schedule for just this commune.
        BulletinRefusedError: It is not to be answered, or not any more.
        SlotRefusedError: With every rule that the slot breaks; each clash is named.
    """
    units = tree(db, today=local_day(now))
    demand_own(actor, Action.SCHEDULE, units.chain(unit_id))
    bulletin, copy, slot = _answerable(db, bulletin_id, unit_id)
    if slot is not None and slot.withdrawn_at is None and _is_same(slot, airing):
        return copy
    _refuse_late(bulletin, copy, slot, now)
    _refuse_endless(airing)
    row = scheduling.add_slot(
        db,
        _new_slot(bulletin, unit_id, airing, units),
        now=now,
        actor=actor,
        keyring=keyring,
        plan_days=plan_days,
    )
    copy.answer, copy.slot_id = Answer.TAKEN.value, row.slot_id
    copy.until = last_end(row)
    copy.answered_at, copy.answered_by = now, actor.name
    note(db, bulletin, Act.TAKE, now=now, actor=actor, unit_id=unit_id)
    return copy


def asked_for(
    db: Session, bulletin_id: str, unit_id: str, airing: Airing, *, now: datetime
) -> scheduling.NewSlot:
    """Tell which slot a commune asks for that takes a bulletin.

    Raises:
        UnknownThingError: No such bulletin.
    """
    bulletin = db.get(BulletinRow, bulletin_id)
    if bulletin is None:
        raise UnknownThingError("bulletin", bulletin_id)
    return _new_slot(bulletin, unit_id, airing, tree(db, today=local_day(now)))


def decline(
    db: Session, bulletin_id: str, unit_id: str, *, reason: str, now: datetime, actor: Actor
) -> BulletinCopyRow:
    """Decline a bulletin with a reason. Twice is once.

    Raises:
        UnknownThingError: No such bulletin was sent there.
        NotAllowedError: The actor does not schedule for just this commune.
        BulletinRefusedError: There is no reason, or it is not to be answered, or not any more.
    """
    demand_own(actor, Action.SCHEDULE, tree(db, today=local_day(now)).chain(unit_id))
    bulletin, copy, slot = _answerable(db, bulletin_id, unit_id)
    if copy.answer == Answer.DECLINED:
        return copy
    refuse_without_reason(reason)
    _refuse_late(bulletin, copy, slot, now)
    copy.answer, copy.reason = Answer.DECLINED.value, reason.strip()
    copy.answered_at, copy.answered_by = now, actor.name
    note(db, bulletin, Act.DECLINE, now=now, actor=actor, unit_id=unit_id, reason=copy.reason)
    return copy


def _answerable(
    db: Session, bulletin_id: str, unit_id: str
) -> tuple[BulletinRow, BulletinCopyRow, SlotRow | None]:
    # First the gate: whoever takes over a commune's slots passes it before touching its inbox.
    pass_gate(db, "slots")
    # Locked: of two officers who answer at once, the second sees what the first has said.
    bulletin = locked(db, bulletin_id)
    copy = db.get(
        BulletinCopyRow, (bulletin_id, unit_id), with_for_update=True, populate_existing=True
    )
    if copy is None:
        raise UnknownThingError("bulletin", bulletin_id)
    slot = db.get(SlotRow, copy.slot_id) if copy.slot_id else None
    return bulletin, copy, slot


def _refuse_late(
    bulletin: BulletinRow, copy: BulletinCopyRow, slot: SlotRow | None, now: datetime
) -> None:
    if bulletin.bulletin_class != BulletinClass.ORDINARY:
        raise BulletinRefusedError([Finding("not-to-answer")])
    if bulletin.state != State.SENT:
        raise BulletinRefusedError([Finding("not-in-state", {"state": bulletin.state})])
    match standing(copy_of(copy, slot), now, bulletin.deadline):
        case Answer.WAITING:
            return
        case Answer.UNANSWERED:
            raise BulletinRefusedError([Finding("deadline-past")])
        case _:
            by = {"person": copy.answered_by or "–"}
            raise BulletinRefusedError([Finding("answered-already", by)])


def _refuse_endless(airing: Airing) -> None:
    if airing.recurrence not in {"once", "daily", "weekly"}:
        raise BulletinRefusedError([Finding("bad-recurrence")])
    if airing.recurrence == "once":
        return
    last = airing.last_day
    if last is None or (last - airing.first_day).days > MOST_DAYS:
        raise BulletinRefusedError([Finding("airing-endless", {"most": str(MOST_DAYS)})])


def _is_same(slot: SlotRow, airing: Airing) -> bool:
    return (slot.local_start, slot.first_day, slot.recurrence) == (
        airing.local_start,
        airing.first_day,
        airing.recurrence,
    )


def _new_slot(
    bulletin: BulletinRow, unit_id: str, airing: Airing, units: Tree
) -> scheduling.NewSlot:
    own = units.own_clusters(unit_id)
    is_whole = set(own) == units.clusters_under(unit_id)
    return scheduling.NewSlot(
        unit_id=unit_id,
        title=bulletin.title,
        bulletin_class=BulletinClass.ORDINARY.value,
        assets=(bulletin.asset_digest or "",),
        recurrence=airing.recurrence,
        local_start=airing.local_start,
        first_day=airing.first_day,
        last_day=None if airing.recurrence == "once" else airing.last_day,
        weekdays=airing.weekdays,
        units=(unit_id,) if is_whole else (),
        clusters=() if is_whole else own,
    )
