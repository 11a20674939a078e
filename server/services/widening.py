"""Slots that come to reach more clusters although nobody has changed them.

They may not come to lie where others are: what they reach besides is checked like a slot that is
saved, in the transaction that widens them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from server.domain.authority import Actor
from server.domain.clashes import Clash, Occupant, WideningRefusedError, occupant
from server.domain.errors import Finding
from server.domain.units import Tree
from server.services import clashing, guarding
from server.services.slot_values import slot_value
from server.store.models import SlotRow, SlotTargetRow
from server.store.queries.lists import WHOLE_SLOT

MOST_NAMED = 10
_NONE = "[]"


def aimed_at_group(db: Session, group_id: str) -> list[SlotRow]:
    """Read the slots that target a group and are not withdrawn."""
    aimed = select(SlotTargetRow.slot_id).where(
        SlotTargetRow.kind == "group", SlotTargetRow.ref == group_id
    )
    wanted = select(SlotRow).where(SlotRow.withdrawn_at.is_(None), SlotRow.slot_id.in_(aimed))
    return list(db.scalars(wanted.options(*WHOLE_SLOT).order_by(SlotRow.slot_id)))


def resolved_by_server(db: Session) -> list[SlotRow]:
    """Read the slots whose clusters go by groups or by languages."""
    grouped = select(SlotTargetRow.slot_id).where(SlotTargetRow.kind == "group")
    chosen = or_(cast(SlotRow.languages, Text) != _NONE, SlotRow.slot_id.in_(grouped))
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
    lie_over: bool = False,
) -> Mapping[str, list[str]]:
    """Refuse that slots come to reach clusters at which others have their time.

    Args:
        db: The transaction, in which the slots reach them already.
        rows: Slots that may be concerned, read whole.
        before: The tree with its groups and languages as they were.
        after: As they are by now.
        now: When.
        actor: Whose rights decide what may be lain over.
        lie_over: Let them lie over slots of lower levels, as somebody may choose who saves one.

    Returns:
        Which slots may lie over which others by now.

    Raises:
        WideningRefusedError: With every clash; nothing may be kept.
    """
    found: list[Clash] = []
    titles: list[str] = []
    over: dict[str, list[str]] = {}
    is_all_lower = True
    for row, wanted in _wider(rows, before, after):
        met = clashing.in_the_way(db, wanted, units=after, now=now, actor=actor)
        if met:
            above = _lying_over(wanted, met)
            left = clashing.in_the_way(db, above, units=after, now=now, actor=actor)
            is_all_lower &= not left
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
    if found:
        findings = _in_words(db, titles, found)
        raise WideningRefusedError(findings, found, may_lie_over=is_all_lower)
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
    for row, wanted in _wider(rows, before, after):
        if met := clashing.in_the_way(db, wanted, units=after, now=now, actor=actor):
            found.extend(met)
            titles.append(row.title)
    return _in_words(db, titles, found) if found else []


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
    named = "; ".join(titles[:MOST_NAMED]) + ("…" if len(titles) > MOST_NAMED else "")
    return [Finding("wider-clashes", {"slots": named}), *clashing.sentences(db, found)]


def _lying_over(wanted: Occupant, met: Iterable[Clash]) -> Occupant:
    return replace(wanted, overrides=wanted.overrides | {one.other.slot_id for one in met})
