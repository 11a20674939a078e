"""What was planned laid against what was heard, counted over clusters."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from protocol.messages import Outcome

PROBLEMS = (Outcome.CUT.value, Outcome.FAILED.value, Outcome.MISSED.value)
"""What somebody should look into; what an operator stopped is none."""


class Kind(StrEnum):
    """Where an entry of a day comes from."""

    SLOT = "slot"
    ANNOUNCEMENT = "announcement"
    UNPLANNED = "unplanned"


@dataclass(frozen=True, slots=True)
class Told:
    """So many clusters said the same of one claim."""

    outcome: str
    reason: str
    clusters: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of one claim at the clusters in view.

    Attributes:
        planned: Clusters that it was planned for.
        waiting: Those of them that have not been heard of yet.
        outcomes: How many clusters ended it how.
        reasons: Why, where it was not played whole; the most frequent first.
    """

    planned: int = 0
    waiting: int = 0
    outcomes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    reasons: tuple[Told, ...] = ()

    def count(self, *outcomes: str) -> int:
        """Count the clusters that ended it so."""
        return sum(self.outcomes.get(outcome, 0) for outcome in outcomes)

    @property
    def problems(self) -> int:
        """How many clusters did not sound it whole, through no order of an operator."""
        return self.count(*PROBLEMS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a day.

    Attributes:
        end: None where it is known of from what sounded alone.
        stopped_at: When an operator stopped it.
    """

    claim_id: str
    kind: Kind
    title: str
    unit_id: str
    unit_name: str
    bulletin_class: str
    start: datetime
    end: datetime | None
    slot_id: str | None
    stopped_at: datetime | None
    tally: Tally

    def is_problem(self, now: datetime) -> bool:
        """Say whether somebody should look at it."""
        is_over = self.end is not None and self.end <= now
        return (
            self.kind is Kind.UNPLANNED
            or self.tally.problems > 0
            or (is_over and self.tally.waiting > 0 and self.stopped_at is None)
        )


def tally(planned: int, waiting: int, told: Iterable[Told]) -> Tally:
    """Add up what clusters said of one claim."""
    outcomes: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for one in told:
        outcomes[one.outcome] += one.clusters
        if one.outcome != Outcome.PLAYED.value:
            reasons[one.outcome, _kind_of(one.reason)] += one.clusters
    return Tally(
        planned,
        waiting,
        MappingProxyType(dict(outcomes)),
        tuple(Told(*why, clusters) for why, clusters in reasons.most_common()),
    )


def total(tallies: Iterable[Tally]) -> Tally:
    """Add up the claims of a day."""
    planned = waiting = 0
    outcomes: Counter[str] = Counter()
    for one in tallies:
        planned += one.planned
        waiting += one.waiting
        outcomes.update(one.outcomes)
    return Tally(planned, waiting, MappingProxyType(dict(outcomes)))


def _kind_of(reason: str) -> str:
    """Take off by which claim something was displaced: that differs from cluster to cluster."""
    return "preempted" if reason.startswith("preempted:") else reason
