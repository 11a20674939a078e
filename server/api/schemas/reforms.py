"""What programs send and are sent of reforms of the tree."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from server.api.schemas.common import (
    _MOST,
    Answer,
    Day,
    FindingAnswer,
    Id,
    Ids,
    Instant,
    Request,
    Title,
    printable,
)


class NewUnitRequest(Request):
    """A unit that comes to be on the day of a reform."""

    unit_id: Id
    name: Title
    level_rank: Annotated[int, Field(ge=0, le=9)]
    parent_id: Id
    code: Annotated[str, Field(max_length=32), AfterValidator(printable)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None


class VillageWayRequest(Request):
    """Where the clusters of one village go."""

    village: Title
    to: Id


class HandRequest(Request):
    """Where one cluster goes."""

    cluster_id: Id
    to: Id


class WayRequest(Request):
    """What becomes of a unit: ``slots`` and ``people`` are ``follow``, ``end`` or a unit's id."""

    unit_id: Id
    ends: bool = True
    how: Annotated[
        Literal["stay", "whole", "nearest"],
        Field(description="where its clusters go that are named neither by village nor by hand"),
    ] = "whole"
    to: Annotated[tuple[Id, ...], Field(max_length=500)] = ()
    villages: Annotated[tuple[VillageWayRequest, ...], Field(max_length=500)] = ()
    children: Id | None = None
    parent: Id | None = None
    slots: Id = "follow"
    people: Id = "follow"


class ReformRequest(Request):
    """A reform of the tree, on a local day that is today or later."""

    title: Title
    valid_from: Day
    under: Id
    legal_reference: Annotated[str, Field(max_length=200), AfterValidator(printable)] = ""
    born: Annotated[tuple[NewUnitRequest, ...], Field(max_length=_MOST)] = ()
    ways: Annotated[tuple[WayRequest, ...], Field(max_length=_MOST)] = ()
    hands: Annotated[tuple[HandRequest, ...], Field(max_length=_MOST)] = ()
    ended_slots: Ids = ()


class ReformQuery(Request):
    """By which digest it was looked at; if it would do something else by now, it is refused."""

    seen: Annotated[str, Field(pattern=r"^[0-9a-f]{0,16}$")] = ""


class MoveAnswer(Answer):
    """A cluster or unit that stands elsewhere afterwards."""

    ref: str
    before: str
    after: str


class UndecidedAnswer(Answer):
    """A cluster that must be placed by hand."""

    cluster_id: str
    unit_id: str
    why: str


class SlotFateAnswer(Answer):
    """A slot of a unit that ends: the units that take it over, and clusters that lose it."""

    slot_id: str
    title: str
    unit_id: str
    to: list[str]
    lost: list[str]


class SilencedAnswer(Answer):
    """A slot that falls silent at clusters that come under another unit's quiet hours."""

    slot_id: str
    title: str
    unit_id: str
    hours: list[str]
    clusters: list[str]


class FateAnswer(Answer):
    """Something else of a unit that ends; ``to`` is empty when it ends with it."""

    ref: str
    unit_id: str
    to: list[str]


class ReformVerdictAnswer(Answer):
    """What a reform would do; with any finding, nothing.

    ``turns``: new units whose loudspeakers take turns, as those of all did whose slots they get.
    """

    digest: str
    findings: list[FindingAnswer]
    born: list[str]
    ended: list[str]
    clusters: list[MoveAnswer]
    units: list[MoveAnswer]
    undecided: list[UndecidedAnswer]
    slots: list[SlotFateAnswer]
    silenced: list[SilencedAnswer]
    hours: list[FateAnswer]
    people: list[FateAnswer]
    groups: list[FateAnswer]
    turns: list[str]
    bulletins: list[FateAnswer]
    contacts: list[FateAnswer]
    rules: list[FateAnswer]
    files: list[FateAnswer]


class ReformAnswer(Answer):
    """A reform or a draft of one."""

    reform_id: str
    unit_id: str
    title: str
    valid_from: date
    created_at: Instant
    created_by: str
    approved_at: Instant | None
    approved_by: str
    began_at: Instant | None
    done_at: Instant | None
    proposal: dict[str, object]


class ReformList(Answer):
    """Reforms and drafts, the latest day first."""

    reforms: list[ReformAnswer]
