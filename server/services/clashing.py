"""Find the slots that stand in the way of another, reading only those that may.

The database is asked for the slots of the same class that touch the same hours, days and
weekdays; which of them want the same clusters, and on which days exactly, the domain works out.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
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
    starts_in_doubt,
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
from server.store.queries.rivals import (
    LONG_S,
    Running,
    long_slots,
    longest_slots,
    slots_by_hour,
    slots_by_start,
)
from server.store.queries.targets import picked

FEW = 100
"""Of a slot for so many clusters those in its way are found by their targets, too."""

MOST_AT_ONE = 12
"""How many that begin at one time are looked at first, to learn which hours are taken."""

A_DAY = timedelta(days=1)
_WEEK = 7
_CLASSES = {one.value: one for one in BulletinClass}
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
    """Lay out the hours of its days that other slots leave to none, whatever hours one asks for.

    Of the many that begin at one time the longest mostly tell all; the others are read only where
    these do not come on its days, or not at its clusters.
    """
    days, weekdays = _running(new, units, now), _weekdays_met(new.rule, next_day=True)
    reading = _Reading(units)
    rows = list(longest_slots(db, days, weekdays=weekdays, most=MOST_AT_ONE))
    longest = list(reading.occupants(rows))
    full = Counter(row.local_start for row in rows)
    cut_off = {start for start, count in full.items() if count >= MOST_AT_ONE}
    doubtful = starts_in_doubt(_settled(new, longest, units, actor), longest, now, among=cut_off)
    others = [*longest, *reading.occupants(long_slots(db, days, weekdays=weekdays))]
    if doubtful:
        others += reading.occupants(slots_by_start(db, days, doubtful, weekdays=weekdays))
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
    rule, days = new.rule, _running(new, units, now)
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


def _running(new: Occupant, units: Tree, now: datetime) -> Running:
    """Ask for the slots that run on the days of one, and where it is for few, for these."""
    rule = new.rule
    since = max(rule.first_day, local_day(now)) - A_DAY
    until = LAST_DAY if rule.last_day is None else rule.last_day + A_DAY
    refs = None if len(new.clusters) > FEW else _names(new.clusters, units)
    return Running(new.bulletin_class.value, since, until, refs)


def _names(clusters: Collection[str], units: Tree) -> frozenset[str]:
    """List all by which a slot may target one of some clusters."""
    above = {upper for one in clusters for upper in units.chain_of_cluster(one)}
    groups = {one for one, members in units.groups.items() if not members.isdisjoint(clusters)}
    return frozenset((*clusters, *above, *groups))


class _Reading:
    """Turns rows into values, each set of targets once."""

    def __init__(self, units: Tree) -> None:
        self._units = units
        self._clusters: dict[tuple[str | None, str], frozenset[str]] = {}

    def occupants(self, rows: Iterable[Sequence[Any]]) -> Iterator[Occupant]:
        """Turn the rows of some slots into what matters of them."""
        units = self._units.units
        for row in rows:
            slot_id, unit_id, title, class_, languages, overrides = row[:6]
            unit = units.get(unit_id)
            if unit is None:  # one that has been dissolved has no time any more
                continue
            key = row[15], languages
            clusters = self._clusters.get(key)
            if clusters is None:
                clusters = self._clusters[key] = self._reached(*key)
            yield Occupant(
                slot_id,
                unit_id,
                unit.name,
                unit.level_rank,
                title,
                _CLASSES[class_],
                rule_of_columns(row[6:15]),
                clusters,
                frozenset(words(overrides)),
            )

    def _reached(self, targets: str | None, languages: str) -> frozenset[str]:
        by_kind = sorted_out(picked(targets))
        return clusters_of(by_kind, words(languages), self._units)


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
