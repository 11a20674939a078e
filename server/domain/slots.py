"""Slots, and where two of them want the same loudspeakers at the same time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from protocol.messages import AssetRef, BulletinClass, Targets, WhenCut
from server.domain.errors import Finding
from server.domain.recurrence import LOCAL, Rule, day_bounds

HORIZON = timedelta(days=15)
"""How far clashes are looked for from where both rules run: every weekly pattern has come round
twice by then, and the zone has no summer time that could move one against the other."""

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Slot:
    """A recurring claim on time.

    Attributes:
        clusters: Clusters it reaches today, resolved from ``targets``.
    """

    slot_id: str
    unit_id: str
    unit_name: str
    level: int
    title: str
    bulletin_class: BulletinClass
    rule: Rule
    asset: AssetRef
    targets: Targets
    clusters: frozenset[str]
    when_cut: WhenCut
    gain_db: float
    created_at: datetime


def claim_id(slot_id: str, start: datetime) -> str:
    """Name one occurrence of a slot: the slot and the start, so that every compilation agrees."""
    return f"{slot_id}-{start:%Y%m%dt%H%M%Sz}"


def slot_of_claim(claim: str) -> str:
    """Name the slot of a scheduled claim."""
    return claim.rpartition("-")[0]


def clashes(new: Slot, others: Iterable[Slot], now: datetime) -> list[Finding]:
    """Name every other slot of the same class that wants some of the same clusters then.

    Slots of different classes may lie over each other: precedence decides between them.
    """
    found: list[Finding] = []
    for other in others:
        if other.bulletin_class is not new.bulletin_class or not other.clusters & new.clusters:
            continue
        if not _may_touch(new.rule, other.rule):
            continue
        start, end = horizon(now, new.rule, other.rule)
        mine, theirs = new.rule.occurrences(start, end), other.rule.occurrences(start, end)
        first = next(_overlaps(list(mine), list(theirs)), None)
        if first is not None:
            found.append(_named(other, first, len(other.clusters & new.clusters)))
        if len(found) == MOST_NAMED:
            break
    return found


def horizon(now: datetime, *rules: Rule) -> tuple[datetime, datetime]:
    """Tell which stretch shows all that can ever be found out about some rules together."""
    start = max(now, *(day_bounds(rule.first_day)[0] for rule in rules))
    return start, start + HORIZON


def _may_touch(one: Rule, other: Rule) -> bool:
    """Rule out by days and hours alone what need not be expanded."""
    # An occurrence of the last day may reach into the day after.
    if one.last_day is not None and one.last_day + timedelta(days=1) < other.first_day:
        return False
    if other.last_day is not None and other.last_day + timedelta(days=1) < one.first_day:
        return False
    day_s = 86_400.0
    ahead = (_second(other) - _second(one)) % day_s
    behind = day_s - ahead if ahead else 0.0
    return ahead < one.length.total_seconds() or behind < other.length.total_seconds()


def _second(rule: Rule) -> float:
    start = rule.local_start
    return start.hour * 3600 + start.minute * 60 + start.second + start.microsecond / 1e6


def _overlaps(
    mine: list[tuple[datetime, datetime]], theirs: list[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime]]:
    i = j = 0
    while i < len(mine) and j < len(theirs):
        (start, end), (other_start, other_end) = mine[i], theirs[j]
        if start < other_end and other_start < end:
            yield other_start, other_end
        if end <= other_end:
            i += 1
        else:
            j += 1


def _named(other: Slot, first: tuple[datetime, datetime], clusters: int) -> Finding:
    start, end = (at.astimezone(LOCAL) for at in first)
    return Finding(
        "overlap",
        {
            "slot_id": other.slot_id,
            "title": other.title,
            "unit": other.unit_name,
            "day": f"{start:%d/%m/%Y}",
            "start": f"{start:%H:%M:%S}",
            "end": f"{end:%H:%M:%S}",
            "clusters": str(clusters),
        },
    )
