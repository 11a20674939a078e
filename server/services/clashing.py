"""Find the slots that stand in the way of another, reading only those that may.

The database is asked for the slots of the same class that touch the same hours, days and
weekdays; which of them want the same clusters, and on which days exactly, the domain works out.
"""

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
from server.domain.units import Tree
from server.domain.week import DAY_S, Stretches
from server.services.slot_values import clusters_of, rule_of_columns, sorted_out, words
from server.store.models import ClusterRow
from server.store.queries.among import among
from server.store.queries.rivals import LONG_S, Running, long_slots, slots_by_hour
from server.store.queries.targets import picked

A_DAY = timedelta(days=1)
_WEEK = 7
_NAMED = select(ClusterRow.cluster_id, ClusterRow.village, ClusterRow.name).where(
    among(ClusterRow.cluster_id, "clusters")
)


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
    rows = db.execute(_NAMED, {"clusters": wanted})
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
    """Turns rows into values, each set of targets once."""

    def __init__(self, units: Tree) -> None:
        self._units = units
        self._clusters: dict[tuple[str | None, str], frozenset[str]] = {}

    def occupants(self, rows: Iterable[Sequence[Any]]) -> Iterator[Occupant]:
        """Turn the rows of some slots into what matters of them."""
        for slot_id, unit_id, title, class_, languages, overrides, *times, targets in rows:
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
                rule_of_columns(tuple(times)),
                self._reached(targets, languages),
                frozenset(words(overrides)),
            )

    def _reached(self, targets: str | None, languages: str) -> frozenset[str]:
        key = (targets, languages)
        clusters = self._clusters.get(key)
        if clusters is None:
            by_kind = sorted_out(picked(targets))
            clusters = clusters_of(by_kind, words(languages), self._units)
            self._clusters[key] = clusters
        return clusters


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
