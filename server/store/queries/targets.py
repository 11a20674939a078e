"""What slots target, each slot's together in one column.

A row for each target would carry the slot's other columns as often, and PostgreSQL would rather
read the targets of all slots than those of hundreds.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import ScalarSelect, func, select

from server.store.models import SlotTargetRow

Target = tuple[str, str]
"""Kind and id of what a slot targets."""

_targets = SlotTargetRow.__table__.c


def targets_of(slot_id: Any) -> ScalarSelect[str | None]:  # noqa: ANN401 - columns of a table have no type
    """Ask for the targets of the slot of another question, as ``picked`` reads them."""
    written = func.aggregate_strings(_targets.kind + ":" + _targets.ref, ",")
    return select(written).where(_targets.slot_id == slot_id).scalar_subquery()


@lru_cache(maxsize=8192)
def picked(written: str | None) -> tuple[Target, ...]:
    """Read targets in order; very many slots have the same ones."""
    return tuple(sorted(_target(one) for one in written.split(","))) if written else ()


def _target(written: str) -> Target:
    kind, _, ref = written.partition(":")
    return kind, ref
