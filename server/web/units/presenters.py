"""A verdict on a sheet, in words."""

from dataclasses import dataclass

from server.domain.cluster_import import Change, Verdict
from server.domain.cluster_sheets import HEADINGS, SHOWN_OF_A_KIND, Column
from server.domain.data_plans import volume_text

_NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changes at a cluster."""

    heading: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A cluster and all that changes at it."""

    name: str
    cluster_id: str
    differences: tuple[Difference, ...]


def changes(verdict: Verdict) -> list[Changed]:
    """Show the first changes."""
    return [_changed(change) for change in verdict.changed[:SHOWN_OF_A_KIND]]


def _changed(change: Change) -> Changed:
    differences = tuple(
        Difference(HEADINGS[column][0], _text(change.before, column), _text(change.after, column))
        for column in change.columns
    )
    return Changed(change.before.name, change.before.cluster_id, differences)


def _text(facts: object, column: Column) -> str:
    value = getattr(facts, column.value)
    if column is Column.DATA_PLAN_MB and value is not None:
        value = volume_text(value)
    if isinstance(value, tuple):
        value = ", ".join(value)
    return _NOTHING if value in {None, ""} else str(value)
