"""What programs are sent of plans, and of who has taken them over."""

from datetime import date
from typing import Annotated

from pydantic import Field

from server.api.schemas.common import Answer, Instant, Moment, Request


class TakenOverQuery(Request):
    """Which edit of a slot: the plan that carries it, and when the sound begins it is about."""

    version: Annotated[int, Field(ge=0, le=2**53 - 1)]
    begins: Moment


class TakenOverAnswer(Answer):
    """An edit at one cluster: ``taken``, ``on-its-way``, ``unreachable`` or ``too-late``."""

    cluster_id: str
    name: str
    village: str
    state: str
    liveness: str
    last_heard_at: Instant | None


class TakenOver(Answer):
    """Which clusters have taken over an edit of a slot."""

    slot_id: str
    version: int
    begins: Instant
    taken: int
    clusters: list[TakenOverAnswer]


class UnitPlanAnswer(Answer):
    """The newest plan of a unit, and how many clusters of those asked for hold it."""

    unit_id: str
    unit_name: str
    version: int
    published_at: Instant
    until: Annotated[date, Field(description="The last day that the plan tells of.")]
    holders: int
    clusters: int


class HeldPlanAnswer(Answer):
    """A plan that a cluster holds; version 0: none."""

    unit_id: str
    version: int
    published_at: Instant | None
    newest: bool


class ClusterPlansAnswer(Answer):
    """The plans that one cluster holds, and since when it lacks a newer one."""

    cluster_id: str
    name: str
    village: str
    unit_id: str
    liveness: str
    last_heard_at: Instant | None
    plans: list[HeldPlanAnswer]
    up_to_date: bool
    behind_since: Instant | None


class PlansAnswer(Answer):
    """All clusters under a unit, and the plans they go by."""

    up_to_date: int
    plans: list[UnitPlanAnswer]
    clusters: list[ClusterPlansAnswer]
