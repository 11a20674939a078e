"""Send an approved bulletin to communes, each class in its own way, and call one back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import BulletinClass
from server.domain.authority import Action, Actor, demand
from server.domain.bulletins import Act, Answer, State
from server.domain.errors import BulletinRefusedError, StaleError
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services import broadcasting, events, scheduling
from server.services.assenting import Assent, Proof
from server.services.broadcast_requests import NewBroadcast
from server.services.bulletins import locked, missing, stations, step
from server.services.keyring import Keyring
from server.services.placing import Placed, places
from server.services.planning import PLAN_DAYS
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import BroadcastRow, BulletinCopyRow, BulletinRow, SlotRow

NO_OPENING = "no-opening"


@dataclass(frozen=True, slots=True)
class Way:
    """With what a bulletin is sent: who does it, when, and what signs it."""

    now: datetime
    actor: Actor
    keyring: Keyring
    plan_days: int = PLAN_DAYS
    lead: timedelta = broadcasting.LEAD


def send(db: Session, bulletin_id: str, *, version: int, way: Way) -> BulletinRow:
    """Send a bulletin: to inboxes, into the next frames, or on air at once. Twice is once.

    Which communes its addressees mean is settled now. A priority bulletin without a deadline gets
    one where some commune has no place for it yet.

    Raises:
        UnknownThingError: No such bulletin.
        NotAllowedError: The actor may not schedule, or announce an emergency, for its unit.
        StaleError: It has been edited meanwhile.
        BulletinRefusedError: It has not been approved, or something is missing.
    """
    known = db.get(BulletinRow, bulletin_id)
    if known is not None and known.bulletin_class != BulletinClass.EMERGENCY:
        # In the order of all that touch slots and inboxes; what must sound at once waits for none.
        pass_gate(db, "slots")
    row = locked(db, bulletin_id)
    units = tree(db, today=local_day(way.now))
    emergency = row.bulletin_class == BulletinClass.EMERGENCY
    action = Action.ANNOUNCE_EMERGENCY if emergency else Action.SCHEDULE
    demand(way.actor, action, units.chain(row.unit_id))
    if row.sent_at is not None and row.state != State.WITHDRAWN:
        if version != row.version:
            raise StaleError("bulletin", bulletin_id)
        return row
    if not step(db, row, Act.SEND, version=version, now=way.now, actor=way.actor):
        return row
    if findings := missing(db, row, units, way.now):
        raise BulletinRefusedError(findings)
    row.sent_at = way.now
    meant = stations(units, row.unit_id, row.addressed["units"])
    copies = _copies_for(db, row, meant, units=units, way=way)
    for copy in copies:
        copy.bulletin_id = row.bulletin_id
        copy.clusters = len(units.own_clusters(copy.unit_id))
    if row.deadline is None and any(copy.answer == Answer.UNPLACED for copy in copies):
        # As far as plans reach now: until then it is looked again, and everybody is told so.
        row.deadline = way.now + timedelta(days=way.plan_days)
    db.add_all(copies)
    return row


def _copies_for(
    db: Session, row: BulletinRow, meant: Sequence[str], *, units: Tree, way: Way
) -> list[BulletinCopyRow]:
    match BulletinClass(row.bulletin_class):
        case BulletinClass.ORDINARY:
            return [BulletinCopyRow(unit_id=unit, answer=Answer.WAITING.value) for unit in meant]
        case BulletinClass.PRIORITY:
            return _placed(db, row, meant, units=units, way=way)
        case BulletinClass.EMERGENCY:
            return _announced(db, row, meant, way=way)


def seeking(db: Session, *, now: datetime) -> list[str]:
    """List the priority bulletins that still wait for a place at some commune."""
    rows = (
        select(BulletinRow.bulletin_id)
        .join(BulletinCopyRow, BulletinCopyRow.bulletin_id == BulletinRow.bulletin_id)
        .where(
            BulletinRow.state == State.SENT,
            BulletinRow.deadline > now,
            BulletinCopyRow.answer == Answer.UNPLACED,
        )
        .distinct()
        .order_by(BulletinRow.bulletin_id)
    )
    return list(db.scalars(rows))


def place_again(db: Session, bulletin_id: str, *, way: Way) -> int:
    """Look again for a place where there was none until now; say at how many communes there is.

    Raises:
        UnknownThingError: No such bulletin.
        SlotRefusedError: What looked free is not.
    """
    row = locked(db, bulletin_id)
    if row.state != State.SENT:
        return 0
    units = tree(db, today=local_day(way.now))
    waiting = {
        copy.unit_id: copy
        for copy in _copies(db, row)
        if copy.answer == Answer.UNPLACED and copy.unit_id in units.units
    }
    found = places(db, row, list(waiting), units=units, now=way.now, days=way.plan_days)
    for start, some in _by_start(found).items():
        slot = _slot(db, row, some, units=units, way=way)
        for unit, place in some.items():
            copy = waiting[unit]
            copy.answer, copy.reason = Answer.PLACED.value, ""
            copy.slot_id, copy.until = slot.slot_id, start + (place.end - place.start)
    if found:
        events.emit(db, kind="bulletin", ref=bulletin_id, now=way.now)
    return len(found)


def withdraw(db: Session, bulletin_id: str, *, version: int, way: Way) -> BulletinRow:
    """Call a bulletin back for good; what it still had to come is withdrawn or stopped.

    Raises:
        UnknownThingError: No such bulletin.
        NotAllowedError: The actor may not schedule for its unit.
        StaleError: It has been edited meanwhile.
        BulletinRefusedError: It has ended already.
    """
    row = locked(db, bulletin_id)
    units = tree(db, today=local_day(way.now))
    demand(way.actor, Action.SCHEDULE, units.chain(row.unit_id))
    if not step(db, row, Act.WITHDRAW, version=version, now=way.now, actor=way.actor):
        return row
    row.closed_at = way.now
    for slot_id in _slots_to_pull(db, row, units):
        scheduling.withdraw_slot(
            db,
            slot_id,
            now=way.now,
            actor=way.actor,
            keyring=way.keyring,
            plan_days=way.plan_days,
        )
    if row.broadcast_id is not None:
        broadcasting.stop(db, row.broadcast_id, now=way.now, actor=way.actor, keyring=way.keyring)
    for copy in _copies(db, row):
        if copy.answer != Answer.DECLINED:
            copy.answer = Answer.WITHDRAWN.value
    return row


def _slots_to_pull(db: Session, row: BulletinRow, units: Tree) -> list[str]:
    """List the slots it was given, where they are still in units under the sender."""
    under = set(units.subtree(row.unit_id))
    rows = (
        select(SlotRow.slot_id, SlotRow.unit_id)
        .join(BulletinCopyRow, BulletinCopyRow.slot_id == SlotRow.slot_id)
        .where(BulletinCopyRow.bulletin_id == row.bulletin_id)
        .distinct()
        .order_by(SlotRow.slot_id)
    )
    return [slot_id for slot_id, unit_id in db.execute(rows) if unit_id in under]


def _copies(db: Session, row: BulletinRow) -> Sequence[BulletinCopyRow]:
    rows = select(BulletinCopyRow).where(BulletinCopyRow.bulletin_id == row.bulletin_id)
    return db.scalars(rows.with_for_update()).all()


def _placed(
    db: Session, row: BulletinRow, meant: Sequence[str], *, units: Tree, way: Way
) -> list[BulletinCopyRow]:
    """Place a priority bulletin; communes that begin at the same moment share one slot.

    Circular 39/2020/TT-BTTTT: a priority bulletin plays with priority inside the programme.
    """
    found = places(db, row, meant, units=units, now=way.now, days=way.plan_days)
    slots = {
        start: _slot(db, row, some, units=units, way=way)
        for start, some in _by_start(found).items()
    }
    return [
        BulletinCopyRow(
            unit_id=unit,
            answer=Answer.PLACED.value if unit in found else Answer.UNPLACED.value,
            slot_id=slots[found[unit].start].slot_id if unit in found else None,
            until=found[unit].end if unit in found else None,
            reason="" if unit in found else NO_OPENING,
        )
        for unit in meant
    ]


def _by_start(found: dict[str, Placed]) -> dict[datetime, dict[str, Placed]]:
    grouped: dict[datetime, dict[str, Placed]] = {}
    for unit, place in found.items():
        grouped.setdefault(place.start, {})[unit] = place
    return grouped


def _slot(
    db: Session, row: BulletinRow, some: dict[str, Placed], *, units: Tree, way: Way
) -> SlotRow:
    first = next(iter(some.values()))
    # A commune with stations under it must not be given what is meant for itself alone.
    whole = [unit for unit in some if set(units.own_clusters(unit)) == units.clusters_under(unit)]
    rest = [one for unit in some if unit not in whole for one in units.own_clusters(unit)]
    new = scheduling.NewSlot(
        unit_id=row.unit_id,
        title=row.title,
        bulletin_class=row.bulletin_class,
        assets=(row.asset_digest or "",),
        recurrence="once",
        local_start=first.local_start,
        first_day=local_day(first.start),
        units=tuple(whole),
        clusters=tuple(rest),
        # Where the commune ranks its own item first, it begins when that one has ended.
        when_cut="resume",
        override=tuple(sorted({slot for place in some.values() for slot in place.over})),
    )
    return scheduling.add_slot(
        db,
        new,
        now=way.now,
        actor=way.actor,
        keyring=way.keyring,
        plan_days=way.plan_days,
    )


def _assent(row: BulletinRow, sender: Actor) -> Assent:
    """Name the second person: nobody approves what they have written, so there are two always."""
    other = row.created_by if row.approved_by in {sender.name, None} else row.approved_by
    return Assent(by=other or row.created_by)


def _announced(
    db: Session, row: BulletinRow, meant: Sequence[str], *, way: Way
) -> list[BulletinCopyRow]:
    """Order an emergency: it sounds at once (Circular 39/2020/TT-BTTTT)."""
    new = NewBroadcast(
        request_id=row.bulletin_id,
        unit_id=row.unit_id,
        title=row.title,
        bulletin_class=row.bulletin_class,
        asset_digest=row.asset_digest or "",
        units=tuple(row.addressed["units"]),
        severity=row.severity,
        decision_number=row.decision_number,
    )
    sent: BroadcastRow = broadcasting.announce(
        db,
        new,
        now=way.now,
        actor=way.actor,
        keyring=way.keyring,
        lead=way.lead,
        proof=Proof(assent=_assent(row, way.actor)),
    )
    row.broadcast_id = sent.broadcast_id
    return [
        BulletinCopyRow(unit_id=unit, answer=Answer.ANNOUNCED.value, until=sent.end)
        for unit in meant
    ]
