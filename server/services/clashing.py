"""Find the slots that stand in the way of another, reading only those that may.

The database is asked for the slots of the same class that touch the same hours, days and
weekdays; which of them want the same clusters, and on which days exactly, the domain works out.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, extract, literal_column, or_, select
from sqlalchemy.orm import Session

from protocol.messages import BulletinClass
from server.domain.authority import Action, Actor, may
from server.domain.clashes import (
    Clash,
    Occupant,
    clashes,
    found_wrong,
    hours_taken,
    shared_clusters,
)
from server.domain.errors import Finding
from server.domain.offers import clock, second
from server.domain.recurrence import EVERY_DAY, Recurrence, Rule, local_day
from server.domain.targeting import chosen
from server.domain.units import Tree
from server.domain.week import DAY_S, Stretches
from server.services.planning import SlotTimes, rule_of
from server.store.models import ClusterRow, SlotRow, SlotTargetRow

LONG_S = 3600
"""Slots that last longer are few, and have an index of their own."""

BANDS_S = (300, 600, 1200, 2400, LONG_S)
"""Lengths by which the database leaves out what ends before the hours in question."""

A_DAY = timedelta(days=1)
_WEEK = 7

_COLUMNS = (
    SlotRow.slot_id,
    SlotRow.unit_id,
    SlotRow.title,
    SlotRow.bulletin_class,
    # As text: nearly all of them are empty, and thousands are read at once.
    cast(SlotRow.languages, Text),
    cast(SlotRow.overrides, Text),
    SlotRow.recurrence,
    SlotRow.local_start,
    SlotRow.duration_s,
    SlotRow.first_day,
    SlotRow.last_day,
    SlotRow.weekdays,
    SlotRow.pattern,
    SlotRow.holidays,
    cast(SlotRow.excluded_days, Text),
    SlotTargetRow.kind,
    SlotTargetRow.ref,
)
_EMPTY = "[]"


def in_the_way(
    db: Session, new: Occupant, *, units: Tree, now: datetime, actor: Actor
) -> list[Clash]:
    """Find the slots that clash with one, the first to come first.

    Of those that it is to lie over, it does over the ones for which the actor may decide.
    """
    others = occupants(db, new, units=units, now=now)
    return clashes(_settled(new, others, units, actor), others, now)


def taken(db: Session, new: Occupant, *, units: Tree, now: datetime, actor: Actor) -> Stretches:
    """Lay out the hours of its days that other slots leave to none, whatever hours one asks for."""
    whole_day = replace(new.rule, local_start=time(), length=2 * A_DAY)
    others = occupants(db, replace(new, rule=whole_day), units=units, now=now)
    return hours_taken(_settled(new, others, units, actor), others, now)


def _settled(new: Occupant, others: Sequence[Occupant], units: Tree, actor: Actor) -> Occupant:
    yielding = frozenset(
        other.slot_id
        for other in others
        if other.slot_id in new.overrides
        and may(actor, Action.SCHEDULE, units.chain(other.unit_id))
    )
    return replace(new, overrides=yielding)


def sentences(db: Session, found: list[Clash]) -> list[Finding]:
    """Put clashes into words, the clusters by their names."""
    wanted = shared_clusters(found)
    if not wanted:
        return []
    rows = db.execute(
        select(ClusterRow.cluster_id, ClusterRow.village, ClusterRow.name).where(
            ClusterRow.cluster_id.in_(wanted)
        )
    )
    return found_wrong(found, {row.cluster_id: row.village or row.name for row in rows})


def occupants(db: Session, new: Occupant, *, units: Tree, now: datetime) -> list[Occupant]:
    """Read the slots that may touch the hours and days of another."""
    reading = _Reading(units)
    return [
        one
        for wanted in _questions(new, now)
        for one in reading.occupants(db.execute(wanted))
        if one.slot_id != new.slot_id
    ]


class _Reading:
    """Turns rows into values, each rule and each set of targets once."""

    def __init__(self, units: Tree) -> None:
        self._units = units
        self._rules: dict[tuple[Any, ...], Rule] = {}
        self._clusters: dict[tuple[Any, ...], frozenset[str]] = {}

    def occupants(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Occupant]:
        """Join the rows of each slot, one for each target."""
        targets: dict[tuple[Any, ...], list[tuple[str, str]]] = {}
        for row in rows:
            targets.setdefault(tuple(row[:-2]), []).append((row[-2], row[-1]))
        for columns, picked in targets.items():
            slot_id, unit_id, title, class_, languages, overrides, *times = columns
            unit = self._units.units.get(unit_id)
            if unit is None:  # one that has been dissolved has no time any more
                continue
            yield Occupant(
                slot_id,
                unit_id,
                unit.name,
                unit.level_rank,
                title,
                BulletinClass(class_),
                self._rule(tuple(times)),
                self._reached(tuple(sorted(picked)), languages),
                frozenset(_words(overrides)),
            )

    def _rule(self, times: tuple[Any, ...]) -> Rule:
        rule = self._rules.get(times)
        if rule is None:
            rule = self._rules[times] = rule_of(SlotTimes._make((*times[:-1], _words(times[-1]))))
        return rule

    def _reached(self, targets: tuple[tuple[str, str], ...], languages: str) -> frozenset[str]:
        key = (targets, languages)
        clusters = self._clusters.get(key)
        if clusters is None:
            clusters = self._clusters[key] = self._resolved(targets, _words(languages))
        return clusters

    def _resolved(
        self, targets: tuple[tuple[str, str], ...], languages: Sequence[str]
    ) -> frozenset[str]:
        known = {
            "unit": self._units.units.keys(),
            "cluster": self._units.clusters.keys(),
            "group": self._units.groups.keys(),
        }
        picked: dict[str, list[str]] = {"unit": [], "cluster": [], "group": [], "except": []}
        for kind, ref in targets:
            if kind == "except" or ref in known[kind]:
                picked[kind].append(ref)
        return chosen(
            self._units,
            units=picked["unit"],
            clusters=picked["cluster"],
            exclude=picked["except"],
            groups=picked["group"],
            languages=languages,
        )


def _words(text: str) -> Sequence[str]:
    return () if text == _EMPTY else json.loads(text)


def _questions(new: Occupant, now: datetime) -> Iterator[Select[*tuple[Any, ...]]]:
    """Ask for the slots of an hour at most by the hour, and for the few longer ones by the day."""
    rule = new.rule
    begins_s = second(rule.local_start)
    ends_s = begins_s + rule.length.total_seconds()
    likely = _on_some_day(new, local_day(now))
    over_midnight = begins_s < LONG_S or ends_s > DAY_S
    bands = [_band(longest_s, begins_s, ends_s) for longest_s in BANDS_S]
    for first_s, last_s in _wrapped(begins_s - LONG_S, ends_s):
        yield likely.where(
            _between(first_s, last_s),
            SlotRow.duration_s <= LONG_S,
            or_(*bands),
            _may_begin(rule, next_day=over_midnight),
        )
    # As a literal: a partial index is used only where the planner sees its condition.
    yield likely.where(literal_column("slots.duration_s > 3600"), _may_begin(rule, next_day=True))


def _on_some_day(new: Occupant, today: date) -> Select[*tuple[Any, ...]]:
    """Ask for slots of the class that are there on a day of the new one, or the day beside it."""
    since = max(new.rule.first_day, today) - A_DAY
    wanted = (
        select(*_COLUMNS)
        .join(SlotTargetRow, SlotTargetRow.slot_id == SlotRow.slot_id)
        .where(
            SlotRow.withdrawn_at.is_(None),
            SlotRow.bulletin_class == new.bulletin_class.value,
            or_(SlotRow.last_day.is_(None), SlotRow.last_day >= since),
        )
    )
    if new.rule.last_day is not None:
        wanted = wanted.where(SlotRow.first_day <= new.rule.last_day + A_DAY)
    return wanted


def _may_begin(rule: Rule, *, next_day: bool) -> ColumnElement[bool]:
    """Keep those that come on a weekday of the rule, or where midnight lies between, beside it."""
    weekdays = EVERY_DAY
    if rule.recurrence is Recurrence.WEEKLY:
        weekdays = rule.weekdays
    elif rule.recurrence is Recurrence.ONCE:
        weekdays = 1 << rule.first_day.weekday()
    if next_day:
        weekdays |= weekdays << 1 | weekdays >> 1 | weekdays << _WEEK - 1 | weekdays >> _WEEK - 1
    sundays_first = [(day + 1) % _WEEK for day in range(_WEEK) if weekdays >> day & 1]
    return and_(
        SlotRow.weekdays.bitwise_and(weekdays & EVERY_DAY) != 0,
        or_(
            SlotRow.recurrence != Recurrence.ONCE,
            extract("dow", SlotRow.first_day).in_(sundays_first),
        ),
    )


def _wrapped(first_s: float, last_s: float) -> list[tuple[float, float]]:
    """Cut a stretch of the clock at midnight."""
    if last_s - first_s >= DAY_S:
        return [(0, DAY_S)]
    if first_s < 0:
        return [(first_s + DAY_S, DAY_S), (0, last_s)]
    if last_s > DAY_S:
        return [(first_s, DAY_S), (0, last_s - DAY_S)]
    return [(first_s, last_s)]


def _band(longest_s: float, begins_s: float, ends_s: float) -> ColumnElement[bool]:
    """Keep slots of some length or less that may reach into a stretch of the clock."""
    reaching = _wrapped(begins_s - longest_s, ends_s)
    return and_(SlotRow.duration_s <= longest_s, or_(*(_between(*one) for one in reaching)))


def _between(first_s: float, last_s: float) -> ColumnElement[bool]:
    begins_in_time = SlotRow.local_start >= clock(first_s)
    if last_s >= DAY_S:
        return begins_in_time
    return and_(begins_in_time, SlotRow.local_start < clock(last_s))
