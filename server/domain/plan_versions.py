"""Which versions of the plans above it a cluster holds, and what a late edit still reaches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from server.domain.nodes import Liveness

LATE = timedelta(minutes=1)
"""An edit of what begins sooner than this is watched until every cluster has taken it over."""

_CONNECTED = frozenset({Liveness.HERE.value, Liveness.LATE.value})


@dataclass(frozen=True, slots=True)
class Version:
    """A version of one unit's plan, and when it was published."""

    unit_id: str
    number: int
    published_at: datetime


class TakeOver(StrEnum):
    """Where an edit stands at one cluster."""

    TAKEN = "taken"
    ON_ITS_WAY = "on-its-way"
    UNREACHABLE = "unreachable"
    TOO_LATE = "too-late"


def behind_since(held: Mapping[str, int], published: Iterable[Version]) -> datetime | None:
    """Tell since when a cluster lacks a plan: since the first version newer than what it holds.

    Args:
        held: Number of the version that it holds, by unit; units of whose plan it has none are
            left out.
        published: Versions of the units above it, in any order.
    """
    lacking = (one.published_at for one in published if one.number > held.get(one.unit_id, 0))
    return min(lacking, default=None)


def holds_newest(held: Mapping[str, int], newest: Mapping[str, int], chain: Sequence[str]) -> bool:
    """Say whether a cluster under ``chain`` holds the newest plan of each unit that has one."""
    return all(held.get(unit, 0) >= newest[unit] for unit in chain if unit in newest)


def take_over(
    held: int, wanted: int, liveness: str, *, now: datetime, begins: datetime
) -> TakeOver:
    """Tell where an edit stands at one cluster.

    Args:
        held: Version of the unit's plan that its node says it holds.
        wanted: Version that carries the edit.
        liveness: Whether the node answers.
        now: When this is asked.
        begins: When the sound begins that the edit is about.
    """
    if held >= wanted:
        return TakeOver.TAKEN
    if now >= begins:
        return TakeOver.TOO_LATE
    return TakeOver.ON_ITS_WAY if liveness in _CONNECTED else TakeOver.UNREACHABLE


def is_late(stretch: tuple[datetime, datetime] | None, now: datetime) -> bool:
    """Say whether an edit of what sounds in a stretch is late: it sounds, or is about to."""
    return stretch is not None and stretch[0] < now + LATE and now < stretch[1]
