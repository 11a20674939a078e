"""What becomes of a slot when some of its days are moved, stretched or taken away; no database.

For one day the slot stays, without that day, and a slot of its own comes in its stead. From a day
on, the slot ends the day before and another one begins. With its last days the slot itself moves.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from server.domain.errors import Finding, SlotRefusedError
from server.domain.recurrence import EVERY_DAY, Recurrence
from server.services.slot_requests import NewSlot, rule_of

A_DAY = timedelta(days=1)
_SHORTEST = timedelta(seconds=1)
_COUNTED = re.compile(r"COUNT=", re.IGNORECASE)


class Scope(StrEnum):
    """Which days of a slot are meant."""

    DAY = "day"
    ONWARD = "onward"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Move:
    """A slot's new time, asked for at one of its days.

    Attributes:
        day: Local day on which the occurrence that was taken hold of begins.
        to_day, start, length_s: When it is to begin instead, and how long it is to last.
        excluded_days: Days that what is moved is to leave out; None: those it does already.
        override: Slots of lower levels that it is to lie over; None: those it does already.
    """

    scope: Scope
    day: date
    to_day: date
    start: time
    length_s: float
    excluded_days: tuple[date, ...] | None = None
    override: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the slot becomes, and the slot that comes beside it, if any."""

    kept: NewSlot
    added: NewSlot | None


def moved(slot: NewSlot, move: Move, now: datetime) -> Outcome:
    """Work out a move.

    Raises:
        SlotRefusedError: The slot does not come on that day, or cannot be moved like that.
    """
    _must_come(slot, move.day)
    if slot.recurrence == Recurrence.ONCE or move.scope is Scope.ALL:
        return Outcome(_at(_on_day(slot, move), move), None)
    if move.scope is Scope.DAY:
        added = _at(_only(slot, move.to_day), move)
    else:
        added = _at(_since(_on_day(slot, move), move.to_day), move)
    left = without(slot, move.scope, move.day, now)
    # Where nothing of it is left to come it is the slot itself that goes, and all that hangs on it.
    return Outcome(added, None) if left is None else Outcome(left, added)


def without(slot: NewSlot, scope: Scope, day: date, now: datetime) -> NewSlot | None:
    """Work out what is left of a slot; None: nothing that is still to come.

    Raises:
        SlotRefusedError: The slot does not come on that day.
    """
    _must_come(slot, day)
    if slot.recurrence == Recurrence.ONCE or scope is Scope.ALL:
        return None
    if scope is Scope.DAY:
        left = replace(slot, excluded_days=tuple(sorted({*slot.excluded_days, day})))
    elif day <= slot.first_day:
        return None
    else:
        left = replace(slot, last_day=day - A_DAY)
    return left if rule_of(left, _length(slot)).next_occurrence(now) is not None else None


def comes(slot: NewSlot, day: date) -> bool:
    """Tell whether a slot comes on a local day."""
    return next(rule_of(slot, _length(slot)).days(day, day), None) is not None


def once_on(slot: NewSlot, day: date) -> NewSlot:
    """Make of one of a slot's days a slot of its own, on another day."""
    return _only(slot, day)


def _must_come(slot: NewSlot, day: date) -> None:
    if not comes(slot, day):
        raise SlotRefusedError([Finding("not-that-day", {"day": f"{day:%d/%m/%Y}"})])


def _at(slot: NewSlot, move: Move) -> NewSlot:
    moved = replace(slot, local_start=move.start, length_s=move.length_s)
    if move.excluded_days is not None:
        moved = replace(moved, excluded_days=move.excluded_days)
    return moved if move.override is None else replace(moved, override=move.override)


def _only(slot: NewSlot, day: date) -> NewSlot:
    return replace(
        slot,
        recurrence=Recurrence.ONCE.value,
        first_day=day,
        last_day=None,
        weekdays=EVERY_DAY,
        pattern="",
        holidays="any",
        excluded_days=(),
    )


def _since(slot: NewSlot, day: date) -> NewSlot:
    if _COUNTED.search(slot.pattern):
        raise SlotRefusedError([Finding("counted-from-first")])
    later = tuple(excluded for excluded in slot.excluded_days if excluded >= day)
    return replace(slot, first_day=day, excluded_days=later)


def _on_day(slot: NewSlot, move: Move) -> NewSlot:
    """Let all of a slot come on another day, where that has a meaning."""
    if move.day == move.to_day:
        return slot
    if slot.recurrence == Recurrence.ONCE:
        return replace(slot, first_day=move.to_day)
    was, will = 1 << move.day.weekday(), 1 << move.to_day.weekday()
    if slot.recurrence != Recurrence.WEEKLY or slot.weekdays & will:
        raise SlotRefusedError([Finding("days-stay")])
    return replace(
        slot,
        weekdays=slot.weekdays & ~was | will,
        first_day=min(slot.first_day, move.to_day),
        last_day=None if slot.last_day is None else max(slot.last_day, move.to_day),
    )


def _length(slot: NewSlot) -> timedelta:
    return timedelta(seconds=slot.length_s) if slot.length_s is not None else _SHORTEST
