"""Offer ways out to whoever could not save a slot for others; each has been tried out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, may
from server.domain.clashes import (
    MOST_SOUGHT_FOR,
    Clash,
    Occupant,
    all_days,
    clashes,
    coming_days,
    hours_taken,
    occupant,
)
from server.domain.frames import TimeFrame
from server.domain.hours import left_to
from server.domain.offers import (
    Offer,
    OfferKind,
    clock,
    earlier_starts,
    later_starts,
    leaves_few,
    on_weekdays,
    second,
    trimmed,
)
from server.domain.recurrence import EVERY_DAY, Recurrence, local_day
from server.domain.units import Tree
from server.domain.week import WHOLE, common, joined, weekly, without
from server.services import clashing, scheduling
from server.services.planning import frames_of
from server.services.slot_requests import NewSlot, files_of, length_of, value_of
from server.services.units import tree

MOST_TRIED = 3
"""How many gaps are tried out each way: the first is free, but for what frames cannot tell."""

MOST_LAIN_OVER = 50
"""Over more slots than these nobody decides at one press."""


def offers(
    db: Session,
    new: NewSlot,
    found: Sequence[Clash],
    *,
    now: datetime,
    actor: Actor,
    replacing: str = "",
    beside: NewSlot | None = None,
) -> tuple[Offer, ...]:
    """Work out with which changes a slot that clashes would be saved.

    Nothing is offered where far too much is in the way; ``clashes.found_wrong`` says so.

    Args:
        db: Session.
        new: The slot that clashes.
        found: With what it does.
        now: Instant of the asking.
        actor: Who asks.
        replacing: The slot that it comes in place of.
        beside: What is left of that slot, and comes as well.
    """
    if not found or len(found) > MOST_SOUGHT_FOR:
        return ()
    units = tree(db, today=local_day(now))
    seeking = _Seeking(db, new, found, now=now, actor=actor, units=units, replacing=replacing)
    if beside is not None:
        seeking.keep_clear_of(beside)
    helps = seeking.helps
    kinds = (seeking.trim(), seeking.gaps(), seeking.exclude(), seeking.override())
    return tuple(offer for kind in kinds if (offer := next(filter(helps, kind), None)) is not None)


class _Seeking:
    """A slot that could not be saved, and all that there is around it."""

    def __init__(
        self,
        db: Session,
        new: NewSlot,
        found: Sequence[Clash],
        *,
        now: datetime,
        actor: Actor,
        units: Tree,
        replacing: str,
    ) -> None:
        self._db, self._new, self._found = db, new, found
        self._now, self._actor, self._units = now, actor, units
        self._replacing = replacing
        files = files_of(db, new)
        self._length_s = length_of(new, files)
        self._start_s = second(new.local_start)
        slot_id = replacing or scheduling.NEW
        slot = value_of(new, files, units, slot_id=slot_id, created_at=now)
        wanted = occupant(slot, new.override)
        self._frames = self._laid_down(wanted)
        days = coming_days(wanted.rule, now)
        self._weekdays = frozenset(day.weekday() for day in islice(days, EVERY_DAY * 7))
        self._wanted = wanted
        self._rest: tuple[Occupant, ...] = ()
        self._taken = joined(
            [
                *clashing.taken(db, wanted, units=units, now=now, actor=actor),
                *on_weekdays(self._closed(), self._weekdays),
            ]
        )

    def keep_clear_of(self, rest: NewSlot) -> None:
        """Count the time of what is left of the replaced slot as taken, too."""
        self._rest = (self._occupant(rest, f"{self._replacing}-rest"),)
        self._taken = joined([*self._taken, *hours_taken(self._wanted, self._rest, self._now)])

    def helps(self, offer: Offer) -> bool:
        """Try out whether a slot changed like this would be saved."""
        wanted = replace(self._new, **offer.changes)
        wrong = scheduling.check_slot(
            self._db,
            wanted,
            now=self._now,
            actor=self._actor,
            replacing=self._replacing,
            units=self._units,
        )
        if wrong or not self._rest:
            return not wrong
        changed = self._occupant(wanted, self._replacing)
        return not clashes(changed, self._rest, self._now)

    def trim(self) -> Iterator[Offer]:
        """Let it end sooner, or begin later."""
        left = trimmed(self._start_s, self._length_s, self._taken)
        if left is not None:
            begins_s, length_s = left
            changes: dict[str, Any] = {"length_s": length_s}
            if begins_s != self._start_s:
                changes["local_start"] = clock(begins_s)
            yield self._offer(OfferKind.TRIM, changes, length_s=length_s)

    def gaps(self) -> Iterator[Offer]:
        """Let it begin at another time of the same days."""
        taken = joined([*self._taken, *on_weekdays(self._too_short(), self._weekdays)])
        for starts in (later_starts, earlier_starts):
            for at in islice(starts(self._start_s, self._length_s, taken), MOST_TRIED):
                yield self._offer(OfferKind.NEXT_GAP, {"local_start": clock(at)})

    def exclude(self) -> Iterator[Offer]:
        """Let it stay away on the days on which it clashes."""
        days = set(all_days(self._found))
        if self._new.recurrence != Recurrence.ONCE and leaves_few(days, local_day(self._now)):
            left_out = tuple(sorted(days | set(self._new.excluded_days)))
            changes = {"excluded_days": left_out}
            yield self._offer(OfferKind.EXCLUDE, changes, days=tuple(sorted(days)))

    def override(self) -> Iterator[Offer]:
        """Let it lie over slots of units below, where those do not own the hours."""
        others = [clash.other for clash in self._found]
        if len(others) <= MOST_LAIN_OVER and all(map(self._decides_for, others)):
            if any(map(self._belongs_to_others, self._found)):
                return
            over = {*self._new.override, *(other.slot_id for other in others)}
            names = tuple(f"“{other.title}” ({other.unit_name})" for other in others)
            yield self._offer(OfferKind.OVERRIDE, {"override": tuple(sorted(over))}, names=names)

    def _offer(
        self,
        kind: OfferKind,
        changes: dict[str, Any],
        *,
        length_s: float | None = None,
        days: tuple[date, ...] = (),
        names: tuple[str, ...] = (),
    ) -> Offer:
        start = changes.get("local_start", self._new.local_start)
        length = timedelta(seconds=self._length_s if length_s is None else length_s)
        return Offer(kind, start, length, changes, days, names)

    def _occupant(self, new: NewSlot, slot_id: str) -> Occupant:
        files = files_of(self._db, new)
        slot = value_of(new, files, self._units, slot_id=slot_id, created_at=self._now)
        return occupant(slot, new.override)

    def _decides_for(self, other: Occupant) -> bool:
        chain = self._units.chain(other.unit_id)
        own = self._units.unit(self._new.unit_id)
        return (
            other.level > own.level_rank
            and own.unit_id in chain
            and may(self._actor, Action.SCHEDULE, chain)
        )

    def _belongs_to_others(self, clash: Clash) -> bool:
        """Tell whether nodes would prefer somebody else in these hours, whose time it is."""
        unit = self._units.unit(self._new.unit_id)
        units = {self._units.clusters[one] for one in clash.clusters}
        above = {one for unit_id in units for one in self._units.chain(unit_id)}
        weekdays = sum(1 << weekday for weekday in self._weekdays)
        week = weekly(weekdays, clash.new.local_start, clash.new.length)
        return any(
            frame.unit_id in above and not frame.is_open_to(unit) and common(frame.week, week)
            for frame in self._frames
            if not frame.quiet
        )

    def _laid_down(self, wanted: Occupant) -> Sequence[TimeFrame]:
        there = {self._units.clusters[one] for one in wanted.clusters}
        return frames_of(self._db, {one for unit in there for one in self._units.chain(unit)})

    def _closed(self) -> tuple[tuple[int, int], ...]:
        """Lay out the hours of the week in which frames and quiet hours leave it nothing."""
        above = self._units.chain(self._new.unit_id)
        binding = [frame for frame in self._frames if frame.quiet or frame.unit_id in above]
        return without(WHOLE, left_to(self._units.unit(self._new.unit_id), binding))

    def _too_short(self) -> tuple[tuple[int, int], ...]:
        """Lay out the hours in which one programme may not last as long."""
        above = self._units.chain(self._new.unit_id)
        unit = self._units.unit(self._new.unit_id)
        return joined(
            stretch
            for frame in self._frames
            if not frame.quiet
            and frame.unit_id in above
            and frame.is_open_to(unit)
            and frame.session_limit_s is not None
            and frame.session_limit_s < self._length_s
            for stretch in frame.week
        )
