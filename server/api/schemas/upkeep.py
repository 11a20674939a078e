"""Orders to the one node of a cluster, as programs give them and are told of them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from protocol.messages import LEAST_GAIN_DB
from server.api.schemas.common import Answer, Instant, Request


class UpkeepRequest(Request):
    """What is to be tried or set at a cluster."""

    deed: Literal["spoken", "quiet", "identify", "restart", "volume", "delay"]
    cuts: Annotated[
        bool, Field(description="Whether a test sound may cut an ordinary programme.")
    ] = False
    at_once: Annotated[bool, Field(description="Whether a restart may cut what sounds.")] = False
    volume_db: Annotated[
        float | None,
        Field(
            ge=LEAST_GAIN_DB,
            le=0,
            allow_inf_nan=False,
            description="The loudest it may be, lastingly.",
        ),
    ] = None
    delay_ms: Annotated[
        int | None,
        Field(ge=0, le=1000, description="How much later it sounds, lastingly."),
    ] = None


class UpkeepAnswer(Answer):
    """An order, and how it stands: ``sent``, ``received``, ``sounding``, then how it ended.

    ``no-answer`` is no end: whoever answers late has answered.
    """

    order_id: str
    cluster_id: str
    node_id: str
    deed: str
    facts: dict[str, Any]
    created_at: Instant
    created_by: str
    expires_at: Instant
    standing: Literal["sent", "received", "sounding", "done", "refused", "failed", "no-answer"]
    reason: str
    received_at: Instant | None
    started_at: Instant | None
    ended_at: Instant | None


class UpkeepList(Answer):
    """The newest orders to a cluster."""

    orders: list[UpkeepAnswer]
