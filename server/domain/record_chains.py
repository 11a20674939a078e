"""What the chains of as-run records say of a cluster: nothing altered, nothing taken away."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ChainState(StrEnum):
    """How the records of a cluster hang together, or those of one chain."""

    WHOLE = "whole"
    GAP = "gap"
    BROKEN = "broken"
    NONE = "none"


class RecordCheck(StrEnum):
    """Whether what is on record of one claim is what its node told."""

    UNTOUCHED = "untouched"
    ALTERED = "altered"
    UNCHAINED = "unchained"


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain of one node.

    Attributes:
        records: How many of its records are held.
        newest: Number of the newest one; 1 is the first.
        digest: That of the newest: who has noted it can tell later that nothing was changed.
        broken: How many do not fit the one before, or share their number with another.
        removed: How many are not in the as-run record any more.
        heard_at: When the newest came.
    """

    node_id: str
    chain: str
    records: int
    newest: int
    digest: str
    broken: int
    removed: int
    heard_at: datetime

    @property
    def missing(self) -> int:
        """How many of its records are not held; they may still be on their way."""
        return self.newest - self.records

    @property
    def state(self) -> ChainState:
        """How its records hang together."""
        if self.broken or self.removed:
            return ChainState.BROKEN
        return ChainState.GAP if self.missing else ChainState.WHOLE


@dataclass(frozen=True, slots=True)
class ClusterChains:
    """All chains that have a record of one cluster, the newest last."""

    chains: tuple[Chain, ...]

    @property
    def state(self) -> ChainState:
        """The worst of them; ``NONE`` where no record is chained."""
        states = {chain.state for chain in self.chains}
        worst_first = (ChainState.BROKEN, ChainState.GAP, ChainState.WHOLE)
        return next((state for state in worst_first if state in states), ChainState.NONE)

    @property
    def records(self) -> int:
        """How many records are held in all."""
        return sum(chain.records for chain in self.chains)

    @property
    def missing(self) -> int:
        """How many are not held, by their numbers."""
        return sum(chain.missing for chain in self.chains)

    @property
    def broken(self) -> int:
        """How many do not fit, or are not in the as-run record any more."""
        return sum(chain.broken + chain.removed for chain in self.chains)
