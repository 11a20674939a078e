"""Horns that overlap, as programs are told of them."""

from typing import Annotated

from pydantic import Field

from server.api.schemas.common import Answer, Id, Request
from server.domain.turns import LEAST_REACH_M, MOST_REACH_M


class NeighboursQuery(Request):
    """The unit whose clusters are meant."""

    unit_id: Id


class NearAnswer(Answer):
    """Another horn that overlaps."""

    cluster_id: str
    distance_m: float


class HornAnswer(Answer):
    """One cluster: no two that overlap have the same turn."""

    cluster_id: str
    latitude: float
    longitude: float
    turn: int
    reach_m: int | None
    delay_ms: int
    near: list[NearAnswer]


class TooShortAnswer(Answer):
    """A slot of a unit that takes turns which all sound at once: it has no room for all turns."""

    slot_id: str
    title: str
    length_s: float
    needed_s: int


class NeighboursAnswer(Answer):
    """All clusters under a unit whose place is known."""

    turn_count: int
    takes_turns: bool
    too_short: list[TooShortAnswer]
    horns: list[HornAnswer]


class ReachRequest(Request):
    """How far the horns of a cluster are understood; null: nobody knows."""

    reach_m: Annotated[int | None, Field(ge=LEAST_REACH_M, le=MOST_REACH_M)]


class TakeTurnsRequest(Request):
    """Whether loudspeakers that overlap sound the slots of a unit one after the other."""

    on: bool


class TakeTurnsAnswer(Answer):
    """Whether they do."""

    unit_id: str
    takes_turns: bool


class ReachAnswer(Answer):
    """How far they are said to be."""

    cluster_id: str
    reach_m: int | None
