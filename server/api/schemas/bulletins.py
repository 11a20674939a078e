"""What programs send and are sent about bulletins."""

from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from server.api.schemas.common import (
    Answer,
    BulletinClassName,
    Day,
    Digest,
    Id,
    Ids,
    Instant,
    Moment,
    Request,
    Text,
    Title,
)

ALL_WEEK = 127


def _no_zero(text: str) -> str:
    if "\0" in text:
        message = "zero characters are not allowed"
        raise ValueError(message)
    return text


LongText = Annotated[str, Field(max_length=10_000), AfterValidator(_no_zero)]
Reason = Annotated[str, Field(max_length=2000), AfterValidator(_no_zero)]
Version = Annotated[int, Field(ge=0, le=10**6, description="the one that was read")]


class BulletinFields(Request):
    """What a bulletin says, and to whom; sound, addressees and deadline may come later."""

    title: Title
    text: LongText = ""
    bulletin_class: BulletinClassName = "ordinary"
    asset_digest: Digest | Literal[""] = ""
    addressed: Annotated[Ids, Field(description="units whose communes are to get it")] = ()
    deadline: Moment | None = None
    decision_number: Annotated[Text, Field(max_length=200)] = ""
    severity: Annotated[int, Field(ge=0, le=4)] = 0


class BulletinRequest(BulletinFields):
    """A bulletin to compose; the same ``request_id`` again is the same bulletin."""

    request_id: Annotated[Title, Field(min_length=8, max_length=64)]
    unit_id: Id


class BulletinEdit(BulletinFields):
    """A bulletin written anew; whatever was approved of it is not approved any more."""

    version: Version


class BulletinStep(Request):
    """One step with the version that was read."""

    version: Version
    reason: Annotated[Reason, Field(description="why it is sent back")] = ""


class BulletinAnswer(Answer):
    """A bulletin."""

    bulletin_id: str
    unit_id: str
    title: str
    text: str
    bulletin_class: str
    asset_digest: str | None
    addressed: list[str]
    deadline: Instant | None
    decision_number: str
    severity: int
    state: str
    version: int
    created_at: Instant
    created_by: str
    approved_by: str | None
    sent_at: Instant | None
    closed_at: Instant | None
    broadcast_id: str | None


class BulletinList(Answer):
    """Bulletins, newest first."""

    bulletins: list[BulletinAnswer]


class ActAnswer(Answer):
    """One thing that somebody did with a bulletin."""

    at: Instant
    actor: str
    act: str
    version: int
    unit_id: str | None
    reason: str


class StandingAnswer(Answer):
    """How a bulletin stands at a commune, and what it has answered."""

    standing: str
    slot_id: str | None
    until: Instant | None
    reason: str
    answered_at: Instant | None
    answered_by: str | None


class CopyAnswer(StandingAnswer):
    """What became of a bulletin at one commune."""

    unit_id: str
    unit_name: str
    clusters: int
    sounded: int


class BulletinReport(Answer):
    """A bulletin, its history, and what became of it at the communes that may be seen."""

    bulletin: BulletinAnswer
    history: list[ActAnswer]
    counts: dict[str, int]
    clusters: int
    sounded: int
    communes: list[CopyAnswer]


class LetterAnswer(StandingAnswer):
    """A bulletin in a commune's inbox."""

    bulletin: BulletinAnswer


class LetterList(Answer):
    """A commune's inbox: what waits for an answer first, then newest first."""

    letters: list[LetterAnswer]


class AiringRequest(Request):
    """When a commune airs a bulletin, by the clock on the wall in Asia/Ho_Chi_Minh."""

    local_start: time
    first_day: Day
    recurrence: Literal["once", "daily", "weekly"] = "once"
    last_day: Day | None = None
    weekdays: Annotated[int, Field(ge=0, le=ALL_WEEK)] = ALL_WEEK


class DeclineRequest(Request):
    """Why a commune does not air a bulletin."""

    reason: Reason


class ContenderAnswer(Answer):
    """One of several priority items that want the same loudspeakers at the same time."""

    claim_id: str
    slot_id: str
    title: str
    unit_name: str
    start: Instant
    end: Instant
    rank: int | None
    is_own: bool


class ClashAnswer(Answer):
    """Contenders, the one that goes first on top."""

    is_decided: bool
    contenders: list[ContenderAnswer]


class ClashList(Answer):
    """Where a commune's own priority items meet others in the coming days."""

    clashes: list[ClashAnswer]


class OrderRequest(Request):
    """The order that is wanted, and the one that was read."""

    wanted: Annotated[tuple[Title, ...], Field(min_length=2, max_length=100)]
    seen: Annotated[tuple[Title, ...], Field(min_length=2, max_length=100)]
