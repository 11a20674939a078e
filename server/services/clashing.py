"""Find the slots that stand in the way of another, reading only those that may.

The database is asked for the slots of the same class that touch the same hours, days and
weekdays; which of them want the same clusters, and on which days exactly, the domain works out.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select
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
from server.domain.offers import second
from server.domain.recurrence import EVERY_DAY, Recurrence, Rule, local_day
from server.domain.rrules import LAST_DAY
from server.domain.targeting import chosen
from server.domain.units import Tree
from server.domain.week import DAY_S, Stretches
from server.services.planning import SlotTimes, rule_of
from server.store.models import ClusterRow
from server.store.queries.rivals import LONG_S, Running, long_slots, slots_by_hour

A_DAY = timedelta(days=1)
_WEEK = 7
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
    if not new.overrides:
        return new
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
    rule = new.rule
    since = max(rule.first_day, local_day(now)) - A_DAY
    until = LAST_DAY if rule.last_day is None else rule.last_day + A_DAY
    days = Running(new.bulletin_class.value, since, until)
    begins_s = second(rule.local_start)
    ends_s = begins_s + rule.length.total_seconds()
    beside = begins_s < LONG_S or ends_s > DAY_S
    reading = _Reading(units)
    found = [
        *reading.occupants(
            slots_by_hour(db, days, begins_s, ends_s, weekdays=_weekdays_met(rule, next_day=beside))
        ),
        *reading.occupants(long_slots(db, days, weekdays=_weekdays_met(rule, next_day=True))),
    ]
    return [one for one in found if one.slot_id != new.slot_id]


class _Reading:
    """Turns rows into values, each rule and each set of targets once."""

    def __init__(self, units: Tree) -> None:
        self._units = units
        self._rules: dict[tuple[Any, ...], Rule] = {}
        self._clusters: dict[tuple[Any, ...], frozenset[str]] = {}

    def occupants(self, rows: Iterable[Sequence[Any]]) -> Iterator[Occupant]:
        """Join the rows of each slot, one for each target."""
        slots: dict[str, tuple[Sequence[Any], list[tuple[str, str]]]] = {}
        for row in rows:
            slot = slots.setdefault(row[0], (row, []))
            slot[1].append((row[-2], row[-1]))
        for row, picked in slots.values():
            slot_id, unit_id, title, class_, languages, overrides, *times, _, _ = row
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


def _weekdays_met(rule: Rule, *, next_day: bool) -> int:
    """Give the weekdays of a rule, or where midnight lies between, those beside it too."""
    weekdays = EVERY_DAY
    if rule.recurrence is Recurrence.WEEKLY:
        weekdays = rule.weekdays
    elif rule.recurrence is Recurrence.ONCE:
        weekdays = 1 << rule.first_day.weekday()
    if next_day:
        weekdays |= weekdays << 1 | weekdays >> 1 | weekdays << _WEEK - 1 | weekdays >> _WEEK - 1
    return weekdays & EVERY_DAY
