"""What programs are sent of what sounded, and of what was refused."""

from typing import Annotated

from pydantic import Field

from protocol.messages import SoundVerdict
from server.api.schemas.common import Answer, Id, Instant, Moment, Request
from server.domain.record_chains import ChainState, RecordCheck


class AsRunQuery(Request):
    """A stretch of time, and perhaps one cluster or one claim."""

    since: Moment
    until: Moment
    cluster_id: Id | None = None
    claim_id: Annotated[str, Field(max_length=96)] | None = None


class ProofAnswer(Answer):
    """What a node heard of a claim; see ``SoundProof`` of the protocol."""

    verdict: SoundVerdict
    sent_dbfs: float
    level_dbfs: float
    correlation: float
    delay_s: float | None


class AsRunAnswer(Answer):
    """What became of one claim at one cluster."""

    claim_id: str
    cluster_id: str
    unit_id: str | None
    node_id: str | None
    outcome: str
    reason: str
    start: Instant | None
    end: Instant | None
    segments: list[dict[str, object]]
    source: str
    recorded_at: Instant
    check: RecordCheck
    proof: ProofAnswer | None


class AsRunList(Answer):
    """Records, newest first."""

    records: list[AsRunAnswer]


class ChainAnswer(Answer):
    """One chain of the as-run records of one node."""

    node_id: str
    chain: str
    state: ChainState
    records: int
    newest: int
    digest: str
    missing: int
    broken: int
    removed: int
    heard_at: Instant


class ClusterChainsAnswer(Answer):
    """How the as-run records of a cluster hang together."""

    cluster_id: str
    state: ChainState
    records: int
    missing: int
    broken: int
    chains: list[ChainAnswer]


class RefusalAnswer(Answer):
    """A message that was refused."""

    node_id: str
    topic: str
    reason: str
    message_id: str
    detail: str
    count: int
    at: Instant


class RefusalList(Answer):
    """Refusals, newest first."""

    refusals: list[RefusalAnswer]
