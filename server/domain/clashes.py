"""Where a slot wants the same loudspeakers, in the same class, at the same time as others."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from math import ceil, floor

from protocol.messages import BulletinClass
from server.domain.day_sets import SPAN_YEARS, Days, between, bit, days_of, onwards, span_of
from server.domain.errors import Finding, SlotRefusedError
from server.domain.offers import Offer, second
from server.domain.recurrence import LOCAL, Rule, local_day
from server.domain.slots import Slot, Stretch
from server.domain.week import DAY_S, Stretches, joined

MOST_NAMED = 20
MOST_SOUGHT_FOR = 500
"""With more in the way nobody looks for ways out: each would cost as long as the check itself."""

MOST_DAYS_NAMED = 3
MOST_CLUSTERS_NAMED = 5

A_DAY = timedelta(days=1)
_SHIFTS = (-1, 0, 1)
"""By how many days one occurrence may begin after another that it meets: none lasts over a day."""
_SAME_DAY = [0]
_UNKNOWN = Days(0, 0)


@dataclass(frozen=True, slots=True)
class Occupant:
    """What of a slot matters to others that may want the same time.

    Attributes:
        clusters: Clusters it reaches today.
        overrides: Slots that it may lie over.
    """

    slot_id: str
    unit_id: str
    unit_name: str
    level: int
    title: str
    bulletin_class: BulletinClass
    rule: Rule
    clusters: frozenset[str]
    overrides: frozenset[str] = frozenset()

    def may_lie_over(self, other: "Occupant") -> bool:
        """Say whether it was told to lie over another, and is of a higher level still."""
        return other.slot_id in self.overrides and self.level < other.level

    def yields_to(self, other: "Occupant") -> bool:
        """Say whether it may not be where another is: of its class, somewhere at its clusters.

        Slots of different classes may lie over each other: precedence decides between them.
        """
        if other.bulletin_class is not self.bulletin_class or other.slot_id == self.slot_id:
            return False
        if self.clusters.isdisjoint(other.clusters):
            return False
        if not self.overrides and not other.overrides:
            return True
        return not (self.may_lie_over(other) or other.may_lie_over(self))


@dataclass(frozen=True, slots=True)
class Clash:
    """Another slot in the way of one that is to be saved.

    Attributes:
        days: Local days on which the new one begins and meets it, of the coming ten years.
        clusters: Clusters that both want.
    """

    new: Rule
    other: Occupant
    days: Days
    clusters: frozenset[str]
    now: datetime

    @property
    def is_endless(self) -> bool:
        """Whether they meet for as long as is looked: the days are only the first of them."""
        late = date(self.days.year + SPAN_YEARS - 2, 1, 1)
        return self.days.bits >= bit(self.days.year, late)

    @property
    def first(self) -> Stretch:
        """The other's first occurrence that is met."""
        rule, day = self.other.rule, next(iter(self.days))
        return next(
            theirs
            for mine, theirs in _met_on(self.new, rule, day, _shifts(self.new, rule))
            if min(mine[1], theirs[1]) > self.now
        )


def occupant(slot: Slot, overrides: Iterable[str] = ()) -> Occupant:
    """Tell what of a slot matters to others."""
    return Occupant(
        slot.slot_id,
        slot.unit_id,
        slot.unit_name,
        slot.level,
        slot.title,
        slot.bulletin_class,
        slot.rule,
        slot.clusters,
        frozenset(overrides),
    )


class SlotClashError(SlotRefusedError):
    """A slot cannot be saved where others are, and perhaps for more reasons."""

    def __init__(self, findings: Sequence[Finding], found: Sequence[Clash]) -> None:
        """Keep what stands in the way."""
        self.clashes = tuple(found)
        self.offers: tuple[Offer, ...] = ()
        super().__init__(findings)


class WideningRefusedError(SlotClashError):
    """Slots would come to reach clusters where others have their time, or where it is quiet."""

    def __init__(
        self, findings: Sequence[Finding], found: Sequence[Clash], *, offers: tuple[Offer, ...]
    ) -> None:
        """Keep what stands in the way, and the way out where they could lie over all of it."""
        super().__init__(findings, found)
        self.offers = offers


def clashes(new: Occupant, others: Iterable[Occupant], now: datetime) -> list[Clash]:
    """Name every other slot that one has to yield to, the first to come first."""
    found: list[Clash] = []
    comes = _Coming(new.rule, now)
    judged: dict[int, Days | None] = {}  # many do the same at the same hour
    shared: dict[int, frozenset[str]] = {}  # or reach the same clusters
    for other in others:
        if not new.yields_to(other):
            continue
        # Of one reading, equal rules are mostly one value; comparing them would cost more.
        rule, theirs = other.rule, other.clusters
        met = judged.get(id(rule), _UNKNOWN)
        if met is _UNKNOWN:
            met = judged[id(rule)] = comes.over(rule)
        if met is None:
            continue
        clusters = shared.get(id(theirs))
        if clusters is None:
            clusters = shared[id(theirs)] = new.clusters & theirs
        found.append(Clash(new.rule, other, met, clusters, now))
    return sorted(found, key=_order)


def hours_taken(new: Occupant, others: Iterable[Occupant], now: datetime) -> Stretches:
    """Lay out which hours others take on any of the days on which one comes, whatever its own.

    In whole seconds since midnight of such a day, up to the end of the next.
    """
    comes = _Coming(new.rule, now)
    judged: dict[int, list[int]] = {}
    found: set[tuple[int, int]] = set()
    for other in others:
        if not new.yields_to(other):
            continue
        rule = other.rule
        if id(rule) not in judged:
            judged[id(rule)] = comes.beside(rule)
        for shift in judged[id(rule)]:
            begins_s = second(rule.local_start) + shift * DAY_S
            until = min(ceil(begins_s + rule.length.total_seconds()), 2 * DAY_S)
            found.add((max(0, floor(begins_s)), until))
    return joined(found)


def starts_in_doubt(
    new: Occupant, longest: Iterable[Occupant], now: datetime, *, among: Collection[time]
) -> set[time]:
    """Tell at which starts shorter slots may take hours that none of the longest takes.

    Args:
        new: The one that asks.
        longest: Of those that begin at one time the longest ones.
        now: Instant of the asking.
        among: The starts of which there are shorter ones.
    """
    comes, some = _Coming(new.rule, now), tuple(longest)
    left = {start: {0, 1} for start in among}
    for other in some:
        # What begins the day before matters where midnight lies in it.
        start, length_s = other.rule.local_start, other.rule.length.total_seconds()
        if start in left and second(start) + length_s > DAY_S:
            left[start].add(-1)
    for other in some:
        start = other.rule.local_start
        if left.get(start) and new.yields_to(other):
            left[start].difference_update(comes.beside(other.rule))
    return {start for start, shifts in left.items() if shifts}


def all_days(found: Iterable[Clash]) -> Iterator[date]:
    """Yield each day on which any of some clashes comes once, however many meet on it."""
    by_year: dict[int, int] = {}
    for clash in found:
        by_year[clash.days.year] = by_year.get(clash.days.year, 0) | clash.days.bits
    for year, bits in sorted(by_year.items()):
        yield from Days(year, bits)


def coming_days(rule: Rule, now: datetime) -> Days:
    """Give the days from yesterday to ten years from now on which a rule begins."""
    since = local_day(now) - A_DAY
    year = span_of(max(since, rule.first_day))
    return Days(year, days_of(rule, year) & onwards(year, since))


class _Coming:
    """A rule that is compared with many others at one moment.

    Days are looked for from where both run, for ten years: patterns of the moon and the holidays
    may come round as late as after centuries.
    """

    def __init__(self, rule: Rule, now: datetime) -> None:
        self._rule = rule
        self._now = now
        self._today = local_day(now)
        self._since = max(self._today, rule.first_day)
        self._year = span_of(self._since)
        self._shifts: dict[tuple[time, timedelta], list[int]] = {}
        self._days: dict[int, int] = {}
        self._nears: dict[int, int] = {}

    def over(self, other: Rule) -> Days | None:
        """Find the days on which it lies over another; None: there are none."""
        hours = other.local_start, other.length
        shifts = self._shifts.get(hours)
        if shifts is None:
            shifts = self._shifts[hours] = _shifts(self._rule, other)
        if not shifts:
            return None
        year = self._first_year(other)
        theirs = days_of(other, year)
        met = self._met(theirs, shifts, year)
        if not met:
            later = self._where_both_run(other, theirs, year)
            if later is None:
                return None
            year, met = later, self._met(days_of(other, later), shifts, later)
        if met & self._near(year):
            for near in (self._today - A_DAY, self._today):
                if met & bit(year, near) and not self._is_to_come(other, near, shifts):
                    met ^= bit(year, near)
        return Days(year, met) if met else None

    def beside(self, other: Rule) -> list[int]:
        """List by how many days another may begin after it, whatever the hours of either."""
        year = self._first_year(other)
        theirs = days_of(other, year)
        later = self._where_both_run(other, theirs, year)
        if later is not None:
            year, theirs = later, days_of(other, later)
        return [shift for shift in _SHIFTS if self._met(theirs, [shift], year)]

    def _first_year(self, other: Rule) -> int:
        """Name the span from where both may run."""
        return self._year if other.first_day <= self._since else span_of(other.first_day)

    def _near(self, year: int) -> int:
        """Give the days of which part may be over: yesterday, and today."""
        if year not in self._nears:
            self._nears[year] = between(year, self._today - A_DAY, self._today)
        return self._nears[year]

    def _met(self, theirs: int, shifts: list[int], year: int) -> int:
        mine = self._in(year)
        if shifts == _SAME_DAY:
            return mine & theirs
        met = 0
        for shift in shifts:
            met |= mine & (theirs >> shift if shift >= 0 else theirs << -shift)
        return met

    def _in(self, year: int) -> int:
        """Give the days of a span on which it begins; what began yesterday may still last."""
        days = self._days.get(year)
        if days is None:
            days = days_of(self._rule, year) & onwards(year, self._today - A_DAY)
            self._days[year] = days
        return days

    @cached_property
    def _next(self) -> Stretch | None:
        return self._rule.next_occurrence(self._now)

    def _where_both_run(self, other: Rule, theirs: int, year: int) -> int | None:
        """Find a later span in which both have come at least once, if they do not in the first."""
        if self._in(year) and theirs & onwards(year, self._today):
            return None
        mine, first = self._next, other.next_occurrence(self._now)
        if mine is None or first is None:
            return None
        return span_of(local_day(max(mine[0], first[0])))

    def _is_to_come(self, other: Rule, day: date, shifts: list[int]) -> bool:
        """Tell whether some of what is met on a day lies after now."""
        met = _met_on(self._rule, other, day, shifts)
        return any(min(mine[1], theirs[1]) > self._now for mine, theirs in met)


def found_wrong(found: Sequence[Clash], names: Mapping[str, str]) -> list[Finding]:
    """Put clashes into words: the first ones each with its clusters' names, and how many more."""
    named = [_named(clash, names) for clash in found[:MOST_NAMED]]
    if len(found) > MOST_NAMED:
        code = "more-overlaps" if len(found) <= MOST_SOUGHT_FOR else "many-overlaps"
        named.append(Finding(code, {"count": str(len(found) - MOST_NAMED)}))
    return named


def shared_clusters(found: Sequence[Clash]) -> set[str]:
    """List the clusters whose names ``found_wrong`` needs."""
    return {one for clash in found[:MOST_NAMED] for one in _first_clusters(clash)}


def _named(clash: Clash, names: Mapping[str, str]) -> Finding:
    start, end = (at.astimezone(LOCAL) for at in clash.first)
    count = len(clash.days)
    first = [f"{day:%d/%m/%Y}" for day in islice(clash.days, MOST_DAYS_NAMED)]
    clusters = list(dict.fromkeys(names.get(one, one) for one in _first_clusters(clash)))
    return Finding(
        "overlap",
        {
            "slot_id": clash.other.slot_id,
            "title": clash.other.title,
            "unit": clash.other.unit_name,
            "level": str(clash.other.level),
            "day": f"{start:%d/%m/%Y}",
            "start": f"{start:%H:%M:%S}",
            "end": f"{end:%H:%M:%S}",
            "days": ", ".join(first) + ("…" if count > len(first) else ""),
            "day_count": f"{count}+" if clash.is_endless else str(count),
            "clusters": str(len(clash.clusters)),
            "cluster_names": ", ".join(clusters)
            + ("…" if len(clash.clusters) > MOST_CLUSTERS_NAMED else ""),
        },
    )


def _first_clusters(clash: Clash) -> list[str]:
    return sorted(clash.clusters)[:MOST_CLUSTERS_NAMED]


def _order(clash: Clash) -> tuple[int, int, time, str]:
    rule = clash.other.rule
    return (
        clash.days.year,
        clash.days.bits & -clash.days.bits,
        rule.local_start,
        clash.other.slot_id,
    )


def _shifts(one: Rule, other: Rule) -> list[int]:
    """List how many days after the one the other begins where they meet: no summer time."""
    lasts_s, theirs_s = one.length.total_seconds(), other.length.total_seconds()
    ahead_s = second(other.local_start) - second(one.local_start)
    return [
        shift
        for shift in _SHIFTS
        if max(0.0, ahead_s + shift * DAY_S) < min(lasts_s, ahead_s + shift * DAY_S + theirs_s)
    ]


def _met_on(
    new: Rule, other: Rule, day: date, shifts: list[int]
) -> Iterator[tuple[Stretch, Stretch]]:
    for shift in shifts:
        one = day + shift * A_DAY
        if days_of(other, span_of(one)) & bit(span_of(one), one):
            yield new.occurrence(day), other.occurrence(one)
