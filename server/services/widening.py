"""Slots that come to reach more clusters although nobody has changed them.

They may come to lie neither where others are nor in quiet hours: what they reach besides is checked
like a slot that is saved, in the transaction that widens them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Text, and_, cast, or_, select
from sqlalchemy.orm import Session

from server.domain.authority import Actor
from server.domain.clashes import Clash, Occupant, WideningRefusedError, occupant
from server.domain.errors import Finding
from server.domain.names import in_a_line
from server.domain.offers import Offer, OfferKind
from server.domain.units import Tree
from server.services import clashing, guarding
from server.services.slot_values import slot_value
from server.services.widened_hours import quiet_hours_met
from server.store.models import SlotRow, SlotTargetRow
from server.store.queries.among import among
from server.store.queries.lists import WHOLE_SLOT

_NONE = "[]"


def aimed_at_group(db: Session, group_id: str) -> list[SlotRow]:
    """Read the slots that target a group and are not withdrawn."""
    aimed = select(SlotTargetRow.slot_id).where(
        SlotTargetRow.kind == "group", SlotTargetRow.ref == group_id
    )
    wanted = select(SlotRow).where(SlotRow.withdrawn_at.is_(None), SlotRow.slot_id.in_(aimed))
    return list(db.scalars(wanted.options(*WHOLE_SLOT).order_by(SlotRow.slot_id)))


def meeting_anew(db: Session, *, before: Tree, after: Tree) -> list[SlotRow]:
    """Read the slots that may meet others at new clusters though they met nowhere before.

    Two that are for whole units meet wherever the lower unit has clusters. It is otherwise where
    one goes by groups or languages, leaves clusters out, or is for a unit that had none.
    """
    settled = [
        unit_id
        for unit_id in after.units
        if after.clusters_under(unit_id)
        and (unit_id not in before.units or not before.clusters_under(unit_id))
    ]
    aimed = select(SlotTargetRow.slot_id).where(
        or_(
            SlotTargetRow.kind.in_(("group", "except")),
            and_(SlotTargetRow.kind == "unit", among(SlotTargetRow.ref, settled)),
        )
    )
    chosen = or_(cast(SlotRow.languages, Text) != _NONE, SlotRow.slot_id.in_(aimed))
    wanted = select(SlotRow).where(SlotRow.withdrawn_at.is_(None), chosen)
    return list(db.scalars(wanted.options(*WHOLE_SLOT).order_by(SlotRow.slot_id)))


def demand_room(
    db: Session,
    rows: Iterable[SlotRow],
    *,
    before: Tree,
    after: Tree,
    now: datetime,
    actor: Actor,
    slot_ids: Collection[str] | None = None,
    lie_over: bool | None = None,
) -> Mapping[str, list[str]]:
    """Refuse that slots come to lie where others have their time, or where it is to be quiet.

    Args:
        db: The transaction, in which the slots reach them already.
        rows: Slots that may meet others, read whole.
        before: The tree with its groups and languages as they were.
        after: As they are by now.
        now: When.
        actor: Whose rights decide what may be lain over.
        slot_ids: Slots that may come into quiet hours; None: any.
        lie_over: Let them lie over slots of lower levels, as somebody may choose who saves one;
            None: that is not to be chosen here.

    Returns:
        Which slots may lie over which others by now.

    Raises:
        WideningRefusedError: With every clash, and who would sound when it is to be quiet;
            nothing may be kept.
    """
    found: list[Clash] = []
    titles: list[str] = []
    over: dict[str, list[str]] = {}
    quiet = quiet_hours_met(db, before=before, after=after, now=now, slot_ids=slot_ids)
    is_way_out = lie_over is not None and not quiet
    for row, wanted in _wider(rows, before, after):
        met = clashing.in_the_way(db, wanted, units=after, now=now, actor=actor)
        if met:
            above = _lying_over(wanted, met)
            left = clashing.in_the_way(db, above, units=after, now=now, actor=actor)
            is_way_out &= not left
            if lie_over and not left:
                over[row.slot_id] = sorted(one.other.slot_id for one in met)
                row.overrides = sorted(above.overrides)
                row.version += 1
            else:
                found.extend(met)
                titles.append(row.title)
        if not found:
            # Where it lay over another before, that is not held against who is added now.
            db.flush()  # it is read anew with what it may lie over by now
            guarding.renew(db, (row.slot_id,), units=after, now=now)
    if findings := [*_in_words(db, titles, found), *quiet]:
        raise WideningRefusedError(findings, found, offers=_offers(found) if is_way_out else ())
    return over


def foreseen(
    db: Session,
    rows: Iterable[SlotRow],
    *,
    before: Tree,
    after: Tree,
    now: datetime,
    actor: Actor,
) -> list[Finding]:
    """Say for what ``demand_room`` would refuse a tree that is only thought of; nothing is held."""
    found: list[Clash] = []
    titles: list[str] = []
    quiet = quiet_hours_met(db, before=before, after=after, now=now)
    for row, wanted in _wider(rows, before, after):
        if met := clashing.in_the_way(db, wanted, units=after, now=now, actor=actor):
            found.extend(met)
            titles.append(row.title)
    return [*_in_words(db, titles, found), *quiet]


def _wider(
    rows: Iterable[SlotRow], before: Tree, after: Tree
) -> Iterator[tuple[SlotRow, Occupant]]:
    """Yield each slot that reaches others than before, with what has come to it."""
    for row in rows:
        if row.unit_id not in before.units or row.unit_id not in after.units:
            continue
        whole = occupant(slot_value(row, after), row.overrides)
        known = slot_value(row, before).clusters
        if whole.clusters != known:
            yield row, replace(whole, clusters=whole.clusters - known)


def _in_words(db: Session, titles: Sequence[str], found: list[Clash]) -> list[Finding]:
    if not found:
        return []
    return [
        Finding("wider-clashes", {"slots": in_a_line(titles, "; ")}),
        *clashing.sentences(db, found),
    ]


def _lying_over(wanted: Occupant, met: Iterable[Clash]) -> Occupant:
    return replace(wanted, overrides=wanted.overrides | {one.other.slot_id for one in met})


def _offers(found: Sequence[Clash]) -> tuple[Offer, ...]:
    """Offer what ``lie_over`` would do, in the words in which a change of a group asks for it."""
    rule = found[0].new
    names = tuple(f"“{one.other.title}” ({one.other.unit_name})" for one in found)
    return (
        Offer(OfferKind.OVERRIDE, rule.local_start, rule.length, {"lie_over": True}, names=names),
    )
