"""Slots, and where two of them want the same loudspeakers at the same time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from protocol.messages import AssetRef, BulletinClass, StartMode, Targets, WhenCut
from server.domain.errors import Finding
from server.domain.recurrence import LOCAL, Rule, local_day

HORIZON = timedelta(days=15)
"""How far clashes are looked for from where both rules run, if both go by the week: every pattern
has come round twice by then, and the zone has no summer time that could move one against the
other."""

FAR_HORIZON = timedelta(days=3653)
"""The same if one goes by the month, the year, the moon or the holidays. Such patterns come round
as late as after centuries; whoever saves a slot is told of the first ten years."""

MOST_NAMED = 20

A_DAY = timedelta(days=1)

Stretch = tuple[datetime, datetime]
"""First instant of sound, first of silence."""


class ContentKind(StrEnum):
    """What fills a slot."""

    FILES = "files"
    RELAY = "relay"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Slot:
    """A recurring claim on time.

    Attributes:
        items: Files in the order in which they sound. A live slot may have some, which sound until
            somebody goes live, or none; a relay has none.
        relay_url: Radio station that a relay pulls.
        targets: As claims carry them: groups and languages are resolved into clusters.
        clusters: Clusters it reaches today, resolved from ``targets``.
        wait_s: Longest that start mode ``wait`` holds it back.
        version: Grows at every change.
    """

    slot_id: str
    unit_id: str
    unit_name: str
    level: int
    title: str
    bulletin_class: BulletinClass
    rule: Rule
    items: tuple[AssetRef, ...]
    targets: Targets
    clusters: frozenset[str]
    when_cut: WhenCut
    gain_db: float
    created_at: datetime
    content_kind: ContentKind = ContentKind.FILES
    relay_url: str = ""
    start_mode: StartMode = StartMode.CUT
    wait_s: float = 0.0
    version: int = 1

    @property
    def slack_s(self) -> float:
        """How much longer the slot lasts than its files, in seconds; negative: the end is cut."""
        return self.rule.length.total_seconds() - sum(item.duration_s for item in self.items)


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
    judged: dict[Rule, Stretch | None] = {}  # many communes do the same at the same hour
    for other in others:
        if other.bulletin_class is not new.bulletin_class or not other.clusters & new.clusters:
            continue
        if not _may_touch(new.rule, other.rule):
            continue
        if other.rule not in judged:
            judged[other.rule] = _first_overlap(new.rule, other.rule, now)
        first = judged[other.rule]
        if first is not None:
            found.append(_named(other, first, len(other.clusters & new.clusters)))
        if len(found) == MOST_NAMED:
            break
    return found


def horizon(now: datetime, *rules: Rule) -> tuple[datetime, datetime]:
    """Tell which stretch shows what is asked about some rules together: from where all run."""
    comes = (rule.next_occurrence(now) for rule in rules)
    start = max([now, *(first[0] for first in comes if first is not None)])
    by_the_week = all(rule.by_the_week for rule in rules)
    return start, start + (HORIZON if by_the_week else FAR_HORIZON)


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


def _first_overlap(new: Rule, other: Rule, now: datetime) -> Stretch | None:
    """Find the first occurrence of the other that lies over one of the new, by days alone."""
    start, end = horizon(now, new, other)
    first, last = local_day(start) - A_DAY, local_day(end)
    shifts = [shift for shift in (-A_DAY, timedelta(), A_DAY) if _touch(new, other, shift)]
    begins = other.begins_on if other.is_quick else _days(other, first - A_DAY, last).__contains__
    for day in _days(new, first, last):
        for shift in shifts:
            if begins(day + shift):
                mine, theirs = new.occurrence(day), other.occurrence(day + shift)
                # What was over before both run, or before now, is no clash.
                if min(mine[1], theirs[1]) > start:
                    return theirs
    return None


@lru_cache(maxsize=2048)
def _days(rule: Rule, first: date, last: date) -> Mapping[date, None]:
    """Keep a rule's days, in order and quick to find."""
    return MappingProxyType(dict.fromkeys(rule.days(first, last)))


def _touch(one: Rule, other: Rule, shift: timedelta) -> bool:
    """Tell whether they meet when the other begins so many days after: there is no summer time."""
    ahead_s = _second(other) + shift.total_seconds() - _second(one)
    return -other.length.total_seconds() < ahead_s < one.length.total_seconds()


def _named(other: Slot, first: Stretch, clusters: int) -> Finding:
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
