"""What programs send and are sent of announcements, on their way and waiting."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from protocol.messages import LEAST_GAIN_DB
from server.api.schemas.common import (
    Answer,
    BulletinClassName,
    Digest,
    Id,
    Ids,
    Instant,
    Request,
    Title,
    printable,
)


class MeantRequest(Request):
    """Whom something is said to, and as what; the same ``request_id`` again is the same."""

    request_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{8,64}$")]
    unit_id: Id
    title: Title
    bulletin_class: BulletinClassName = "priority"
    units: Ids = ()
    clusters: Ids = ()
    groups: Ids = ()
    exclude: Ids = ()
    gain_db: Annotated[float, Field(ge=LEAST_GAIN_DB, le=0, allow_inf_nan=False)] = 0.0
    severity: Annotated[int, Field(ge=0, le=4)] = 0
    decision_number: Annotated[str, Field(max_length=100), AfterValidator(printable)] = ""
    mode: Literal["real", "drill"] = "real"
    opening: bool = True
    follows: Annotated[
        Id | None, Field(description="The announcement that this one ends or corrects.")
    ] = None
    relation: Literal["", "all-clear", "correction"] = ""
    code: Annotated[
        str,
        Field(max_length=32, description="Of the second factor, where one is asked for."),
    ] = ""


class BroadcastRequest(MeantRequest):
    """An announcement; the same ``request_id`` a second time is the same announcement."""

    asset_digest: Digest
    repeat: Annotated[int, Field(ge=1, le=20)] = 1
    gap_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 1.0
    wait: Annotated[
        bool,
        Field(description="Let it wait for a second person where one is needed; else an error."),
    ] = False


class AlertAnswer(Answer):
    """What one person was told on one channel; without a channel they are to be called.

    ``about`` is ``confirmation``, ``silence`` or ``all-answer``.
    """

    about: str
    after_s: int
    contact_id: str
    contact_name: str
    channel_id: str | None
    channel_name: str
    subject: str
    created_at: Instant
    state: str
    results: list[dict[str, str]]


class WaitingAnswer(Answer):
    """An announcement that waits for a second person, or has waited in vain."""

    broadcast_id: str
    request_id: str
    unit_id: str
    cover_id: str
    state: Literal["waiting", "confirmed", "refused", "withdrawn", "lapsed"]
    title: str
    bulletin_class: str
    mode: str
    clusters: int
    asked_at: Instant
    asked_by: str
    ends_at: Instant
    decided_at: Instant | None
    decided_by: str | None
    reason: str
    told: list[AlertAnswer]


class WaitingList(Answer):
    """What waits for a second person, what ends first leading."""

    waiting: list[WaitingAnswer]


class WaitingRefusal(Request):
    """Why an announcement is refused."""

    reason: Annotated[str, Field(max_length=200)]


class BroadcastAnswer(Answer):
    """An announcement."""

    broadcast_id: str
    request_id: str
    unit_id: str
    title: str
    bulletin_class: str
    mode: str
    severity: int
    decision_number: str
    kind: str
    asset_digest: str | None
    opening_digest: str | None
    repeat: int
    gap_s: float
    gain_db: float
    start: Instant
    end: Instant
    created_at: Instant
    created_by: str
    confirmed_by: str | None
    stopped_at: Instant | None
    closed_at: Instant | None
    follows: str | None
    relation: str


class AheadAnswer(Answer):
    """The announcement for whose end another one waits at a cluster."""

    broadcast_id: str
    title: str


class DeliveryAnswer(Answer):
    """One announcement at one cluster."""

    cluster_id: str
    cluster_name: str
    village: str
    state: str
    reason: str
    received_at: Instant | None
    started_at: Instant | None
    ended_at: Instant | None
    liveness: str
    last_heard_at: Instant | None
    attempts: int
    silence: Annotated[
        str, Field(description="no-answer or not-sounding where the time of the rule is over.")
    ]
    named_at: Instant | None
    answered_late_at: Instant | None
    ahead: AheadAnswer | None


class EscalationStep(Answer):
    """Whom to tell when clusters are silent so many seconds after sending."""

    after_s: int
    contacts: list[str]


class EscalationRule(Answer):
    """After how many seconds a silent cluster is named, and who is told of it when."""

    answer_s: int
    start_s: int
    steps: list[EscalationStep]


class BroadcastStatusAnswer(Answer):
    """An announcement, and what each of its clusters has said of it."""

    broadcast_id: str
    broadcast: BroadcastAnswer
    rule: EscalationRule
    told: list[AlertAnswer]
    clusters: list[str]
    deliveries: list[DeliveryAnswer]
    counts: dict[str, int]


class BroadcastList(Answer):
    """Announcements, newest first."""

    broadcasts: list[BroadcastAnswer]
