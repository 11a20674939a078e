"""Orders to the one node of a cluster, as programs give them and are told of them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from protocol.messages import LEAST_GAIN_DB
from server.api.schemas.common import Answer, Instant, Request


class UpkeepRequest(Request):
    """What is to be tried or set at a cluster."""

    deed: Literal["spoken", "quiet", "identify", "restart", "volume", "delay", "talk"]
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
    talk: Annotated[
        Literal["never", "cut-off", "always"] | None,
        Field(description="When the talk key of its box may be used, lastingly."),
    ] = None
    away_min: Annotated[
        int | None,
        Field(ge=1, le=1440, description="After how long without a network, for `cut-off`."),
    ] = None
    talk_s: Annotated[
        int | None, Field(ge=10, le=900, description="The longest that is spoken at once.")
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
