"""What whoever edits a slot at the last moment is told, before and after."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from server.domain.plan_versions import LATE
from server.domain.units import Tree
from server.services import plan_states
from server.services.scheduling import NewSlot
from server.store.models import SlotRow
from server.web.plans.presenters import beforehand


def warnings(
    db: Session, new: NewSlot, starts: Sequence[datetime], *, now: datetime, tree: Tree
) -> list[str]:
    """Warn before a slot is saved that begins within a minute."""
    if not starts or starts[0] >= now + LATE:
        return []
    return beforehand(starts[0], now, plan_states.would_miss(db, new, now=now, units=tree))


def warnings_by_slot(slots: Iterable[SlotRow], now: datetime) -> dict[str, str]:
    """Warn before slots are changed or withdrawn that sound or begin within a minute."""
    stakes = {slot.slot_id: plan_states.at_stake(slot, now) for slot in slots}
    return {
        slot_id: " ".join(beforehand(begins, now, ()))
        for slot_id, begins in stakes.items()
        if begins is not None
    }


def after_edit(slot: SlotRow, version: int, *stakes: datetime | None) -> str | None:
    """Give the address of the page that watches an edit; None: nothing of it is late.

    Args:
        slot: As it is after the edit.
        version: Of the plan that carries the edit.
        stakes: When its sound begins, as it was and as it is, as ``plan_states.at_stake`` tells.
    """
    begins = min((one for one in stakes if one is not None), default=None)
    if begins is None:
        return None
    return url_for(
        "plans.taken_over", slot_id=slot.slot_id, version=version, begins=begins.isoformat()
    )
