"""Slots: recurring claims on time, and how their occurrences are named."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from typing_extensions import override

from protocol.messages import AssetRef, BulletinClass, StartMode, Targets, WhenCut
from server.domain.recurrence import Rule

HORIZON = timedelta(days=15)
"""How far a rule that goes by the week is looked at: every weekday has come round twice by then."""

FAR_HORIZON = timedelta(days=3653)
"""The same for one that goes by the month, the year, the moon or the holidays."""

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

    @override
    def __hash__(self) -> int:
        # Of all that makes two of them equal, this tells most apart, and is asked for all day.
        return hash((self.slot_id, self.version))


def claim_id(slot_id: str, start: datetime) -> str:
    """Name one occurrence of a slot: the slot and the start, so that every compilation agrees."""
    return f"{slot_id}-{_stamp(start)}"


@lru_cache(maxsize=8192)
def _stamp(start: datetime) -> str:
    """Write an instant down; very many slots begin at the same ones."""
    return f"{start:%Y%m%dt%H%M%Sz}"


def slot_of_claim(claim: str) -> str:
    """Name the slot of a scheduled claim."""
    return claim.rpartition("-")[0]


def horizon(now: datetime, rule: Rule) -> tuple[datetime, datetime]:
    """Tell which stretch shows what is asked about a rule: from where it comes next."""
    first = rule.next_occurrence(now)
    start = now if first is None else max(now, first[0])
    return start, start + (HORIZON if rule.by_the_week else FAR_HORIZON)
