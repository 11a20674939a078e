"""What programs are sent of what sounded, and of what was refused."""

from typing import Annotated

from pydantic import Field

from server.api.schemas.common import Answer, Id, Instant, Moment, Request


class AsRunQuery(Request):
    """A stretch of time, and perhaps one cluster or one claim."""

    since: Moment
    until: Moment
    cluster_id: Id | None = None
    claim_id: Annotated[str, Field(max_length=96)] | None = None


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


class AsRunList(Answer):
    """Records, newest first."""

    records: list[AsRunAnswer]


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
