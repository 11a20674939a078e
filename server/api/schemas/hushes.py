"""Silences by order, as programs ask for them and are told of them."""

from typing import Annotated, Literal

from pydantic import Field

from server.api.schemas.common import Answer, Id, Instant, Request, Title


class HushRequest(Request):
    """A unit whose loudspeakers are to be silent at once, and why."""

    unit_id: Id
    reason: Title
    spares_emergencies: Annotated[
        bool, Field(description="Whether real emergencies sound all the same.")
    ] = False
    mode: Literal["real", "drill"] = "real"


class HushAnswer(Answer):
    """A silence; it lasts while ``ended_at`` is null."""

    hush_id: str
    unit_id: str
    mode: str
    spares_emergencies: bool
    reason: str
    since: Instant
    created_by: str
    lift_asked_at: Instant | None
    lift_asked_by: str | None
    ended_at: Instant | None
    ended_by: str | None
    superseded_by: str | None


class ClusterSilenceAnswer(Answer):
    """What is known of it at one cluster."""

    cluster_id: str
    cluster_name: str
    village: str
    standing: str
    silent_at: Instant | None
    lifted_at: Instant | None
    refused: str
    last_heard_at: Instant | None


class HushStatusAnswer(Answer):
    """A silence, and who confirmed it."""

    hush: HushAnswer
    clusters: list[ClusterSilenceAnswer]
    counts: dict[str, int]


class HushList(Answer):
    """Silences that last, real ones first."""

    hushes: list[HushAnswer]
