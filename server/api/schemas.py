"""What programs send and are sent: instants in ISO 8601 and UTC, slots in local wall-clock time."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from apiflask.fields import UploadFile
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)

from protocol.ids import DIGEST_PATTERN, ID_PATTERN
from server.domain.recurrence import is_usable

# JSON Schema knows no ``\Z``; there, as in Rust's engine, a dollar sign is the very end.
_ID = ID_PATTERN.replace(r"\Z", "$")
_DIGEST = DIGEST_PATTERN.replace(r"\Z", "$")
_MOST = 5000
_ALL_WEEK = 127
_PATTERN = (
    "monthly: BYMONTHDAY=15, BYMONTHDAY=-1 or BYDAY=2TU; "
    "lunar: DAY=15, DAY=-1 or DAY=10;MONTH=3, and LEAP=regular, leap or both; "
    "rrule: lines RRULE, EXDATE and RDATE of RFC 5545, in days or longer; otherwise empty"
)
_HOLIDAYS = "what the public holidays of Viet Nam mean to the slot"


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _printable(text: str) -> str:
    # A database refuses the null character, and nobody means the other controls.
    if any(ord(sign) < ord(" ") or 0xD800 <= ord(sign) <= 0xDFFF for sign in text):  # noqa: PLR2004 - bounds of the surrogates
        message = "control characters are not allowed"
        raise ValueError(message)
    return text.strip()


def _usable(day: date) -> date:
    if not is_usable(day):
        message = "too near the calendar's ends"
        raise ValueError(message)
    return day


def _at_usable_day(instant: datetime) -> datetime:
    _usable(instant.date())
    return instant


def _midnight(text: object) -> object:
    return "00:00" if text in {"24:00", "24:00:00"} else text


Id = Annotated[str, Field(pattern=_ID)]
Digest = Annotated[str, Field(pattern=_DIGEST)]
Text = Annotated[str, AfterValidator(_printable)]
Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
Instant = Annotated[AwareDatetime, PlainSerializer(_iso, return_type=str)]
Day = Annotated[date, AfterValidator(_usable)]
Moment = Annotated[AwareDatetime, AfterValidator(_at_usable_day)]
BulletinClassName = Literal["ordinary", "priority", "emergency"]
Ids = Annotated[tuple[Id, ...], Field(max_length=_MOST)]


class Request(BaseModel):
    """Something sent to us: fields that we do not know are an error, not a surprise."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Something that we send."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class UnitQuery(Request):
    """Whose things are asked for."""

    unit_id: Id


class AssetUpload(Request):
    """An audio file, and what it is for."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    file: UploadFile
    unit_id: Id
    title: Title
    purpose: Literal["programme", "announcement", "warning", "phrase", "chime"] = "programme"
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")] = "vi"


class AssetAnswer(Answer):
    """An audio file that may go on air."""

    digest: str
    unit_id: str
    title: str
    purpose: str
    language: str
    duration_s: float
    size_bytes: int
    loudness_lufs: float | None
    file_name: str
    created_at: Instant


class AssetList(Answer):
    """Audio files, newest first."""

    assets: list[AssetAnswer]


class SlotRequest(Request):
    """A recurring claim on time; ``local_start`` is wall-clock time in Asia/Ho_Chi_Minh."""

    unit_id: Id
    title: Title
    bulletin_class: BulletinClassName = "ordinary"
    content_kind: Annotated[
        Literal["files", "relay", "live"],
        Field(
            description="`files` in order; `relay`: a radio station at `relay_url`; `live`: "
            "somebody goes live, and files, if any, sound until then."
        ),
    ] = "files"
    assets: Annotated[tuple[Digest, ...], Field(max_length=500)] = ()
    relay_url: Annotated[str, Field(max_length=500)] = ""
    length_s: Annotated[
        float | None,
        Field(ge=1, le=86_400, allow_inf_nan=False, description="None: as long as its files."),
    ] = None
    recurrence: Literal["once", "daily", "weekly", "monthly", "lunar", "rrule"]
    weekdays: Annotated[int, Field(ge=0, le=_ALL_WEEK)] = _ALL_WEEK
    pattern: Annotated[str, Field(max_length=4000, description=_PATTERN)] = ""
    holidays: Annotated[Literal["any", "except", "only"], Field(description=_HOLIDAYS)] = "any"
    excluded_days: Annotated[
        tuple[date, ...], Field(max_length=1000, description="Days on which it does not come.")
    ] = ()
    local_start: time
    first_day: date
    last_day: date | None = None
    units: Ids = ()
    groups: Ids = ()
    clusters: Ids = ()
    exclude: Ids = ()
    languages: Annotated[
        tuple[Annotated[str, Field(max_length=16)], ...],
        Field(max_length=30, description="Only clusters at which one of these is spoken."),
    ] = ()
    start_mode: Annotated[
        Literal["cut", "wait", "next"],
        Field(
            description="How it takes over from what is sounding: at its start; after the file "
            "that is sounding, at most `wait_s` late; after that file."
        ),
    ] = "cut"
    wait_s: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 0.0
    when_cut: Literal["rejoin", "resume", "drop"] = "rejoin"
    override: Annotated[Ids, Field(description="Slots of lower levels that it may lie over.")] = ()
    gain_db: Annotated[float, Field(ge=-40, le=0, allow_inf_nan=False)] = 0.0


class SlotChange(SlotRequest):
    """A slot as it is to be from now on, and the version that was changed."""

    version: Annotated[int, Field(ge=1)]


class SlotTrial(SlotRequest):
    """A slot that is not to be saved yet, in place of one or as a new one."""

    slot_id: Id | None = None


class TrialSpan(Answer):
    """A stretch in which one programme is heard, and the titles that it goes before."""

    start: Instant
    end: Instant
    title: str
    unit_name: str
    bulletin_class: str
    slot_id: str | None
    goes_before: list[str]


class TrialDay(Answer):
    """What of a local day is heard no longer, and what is heard instead."""

    day: date
    before: list[TrialSpan]
    after: list[TrialSpan]


class TrialCluster(Answer):
    """A cluster that changes."""

    cluster_id: str
    name: str


class TrialGroup(Answer):
    """Clusters at which the same changes."""

    clusters: list[TrialCluster]
    days: list[TrialDay]


class TrialWinner(Answer):
    """What is heard in its stead; without a title: hours in which it may not sound."""

    title: str
    unit_name: str


class TrialFinding(Answer):
    """What stands against saving it."""

    code: str
    message: str


class TrialAnswer(Answer):
    """What saving a slot would change on the first days on which it comes."""

    changed: int
    reached: int
    days: list[date]
    is_silent: bool
    groups: list[TrialGroup]
    loses_to: list[TrialWinner]
    findings: list[TrialFinding]


class SlotAnswer(Answer):
    """A slot."""

    slot_id: str
    version: int
    unit_id: str
    title: str
    bulletin_class: str
    content_kind: str
    assets: list[str]
    relay_url: str
    recurrence: str
    weekdays: int
    pattern: str
    holidays: str
    excluded_days: list[date]
    local_start: time
    duration_s: float
    first_day: date
    last_day: date | None
    units: list[str]
    groups: list[str]
    clusters: list[str]
    exclude: list[str]
    languages: list[str]
    start_mode: str
    wait_s: float
    when_cut: str
    override: list[str]
    gain_db: float
    withdrawn_at: Instant | None


class SlotSaved(SlotAnswer):
    """A slot that was just saved, changed or withdrawn.

    ``late_from``: it sounds, or begins within a minute, at this instant; ask
    ``/slots/{slot_id}/taken-over`` with it and ``plan_version`` which clusters have taken it over.
    """

    plan_version: int
    late_from: Instant | None


class SlotList(Answer):
    """Slots of one unit."""

    slots: list[SlotAnswer]


class FrameRequest(Request):
    """Hours to lay down, by the clock on the wall in Asia/Ho_Chi_Minh; 24:00 is midnight.

    An end not after the start lies on the next day. Owned by a unit, or by each unit of a level for
    itself; by neither: open to all under the unit.
    """

    unit_id: Id
    kind: Literal["frame", "quiet"] = "frame"
    weekdays: Annotated[int, Field(ge=0, le=_ALL_WEEK)] = _ALL_WEEK
    local_start: time
    local_end: Annotated[time, BeforeValidator(_midnight)]
    owner_id: Id | None = None
    owner_rank: Annotated[int, Field(ge=0, le=9)] | None = None
    session_limit_s: Annotated[int, Field(ge=60, le=86_400)] | None = None
    volume_ceiling_db: Annotated[float, Field(ge=-60, le=0, allow_inf_nan=False)] | None = None
    legal_reference: Annotated[str, Field(max_length=200), AfterValidator(_printable)] = ""


class FrameChange(FrameRequest):
    """Hours as they are to be from now on, and the version that was changed."""

    version: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class Confirmation(Request):
    """Whether it is to be done even where slots are left outside the hours then open to them."""

    confirmed: bool = False


class FrameAnswer(Answer):
    """Hours that hold at a unit, and which unit laid them down."""

    frame_id: str
    unit_id: str
    kind: str
    weekdays: int
    local_start: time
    local_end: time
    owner_id: str | None
    owner_rank: int | None
    session_limit_s: int | None
    volume_ceiling_db: float | None
    legal_reference: str
    version: Annotated[str, Field(description="To be sent with a change.")]


class FrameList(Answer):
    """All that holds at a unit, the top unit's first."""

    frames: list[FrameAnswer]


class UnitAnswer(Answer):
    """An administrative unit."""

    unit_id: str
    name: str
    level_rank: int
    parent_id: str | None


class UnitList(Answer):
    """The tree as it is today, from the top down."""

    units: list[UnitAnswer]


class GroupRequest(Request):
    """Clusters to be chosen together; without an id one is made of the names."""

    unit_id: Id
    name: Title
    group_id: Id | None = None
    clusters: Ids = ()


class GroupChange(Request):
    """What a group is to be; with ``version`` only if nobody has changed it since."""

    name: Title
    clusters: Ids
    version: Annotated[str, Field(max_length=64)] | None = None
    lie_over: Annotated[
        bool,
        Field(description="Slots that reach more by it may lie over those of lower levels."),
    ] = False


class GroupAnswer(Answer):
    """A group of clusters; it has no rank."""

    group_id: str
    name: str
    unit_id: str
    clusters: tuple[str, ...]
    version: str


class GroupList(Answer):
    """Groups, by name."""

    groups: list[GroupAnswer]


class NewUnitRequest(Request):
    """A unit that comes to be on the day of a reform."""

    unit_id: Id
    name: Title
    level_rank: Annotated[int, Field(ge=0, le=9)]
    parent_id: Id
    code: Annotated[str, Field(max_length=32), AfterValidator(_printable)] | None = None
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
    legal_reference: Annotated[str, Field(max_length=200), AfterValidator(_printable)] = ""
    born: Annotated[tuple[NewUnitRequest, ...], Field(max_length=_MOST)] = ()
    ways: Annotated[tuple[WayRequest, ...], Field(max_length=_MOST)] = ()
    hands: Annotated[tuple[HandRequest, ...], Field(max_length=_MOST)] = ()
    ended_slots: Ids = ()


class ReformQuery(Request):
    """By which digest it was looked at; if it would do something else by now, it is refused."""

    seen: Annotated[str, Field(pattern=r"^[0-9a-f]{0,16}$")] = ""


class FindingAnswer(Answer):
    """One thing that is wrong."""

    code: str
    detail: str
    fields: dict[str, str]


class SheetUpload(Request):
    """A sheet of clusters, and whether only to tell what it would do."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    sheet: UploadFile
    dry_run: Annotated[bool, Field(description="Tell what would be done, and do nothing.")] = False


class NewClusterAnswer(Answer):
    """A cluster that is new."""

    cluster_id: str
    unit_id: str
    name: str
    village: str


class ChangedClusterAnswer(Answer):
    """A cluster that is there, and the columns that change at it."""

    cluster_id: str
    unit_id: str
    name: str
    columns: list[str]


class SheetFaultsAnswer(Answer):
    """All rows that are wrong in one way: the first of them in words, and how many more."""

    code: str
    count: int
    not_shown: int
    findings: list[FindingAnswer]


class SheetVerdictAnswer(Answer):
    """What a sheet does; with any fault or clash, nothing. Of what is long, the first are listed.

    ``new_count`` and ``changed_count`` say how many there are in all.
    """

    dry_run: bool
    new_count: int
    changed_count: int
    same_count: int
    fault_count: int
    new: list[NewClusterAnswer]
    changed: list[ChangedClusterAnswer]
    faults: list[SheetFaultsAnswer]
    clashes: list[FindingAnswer]
    columns_passed_over: list[str]


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


class FateAnswer(Answer):
    """Something else of a unit that ends; ``to`` is empty when it ends with it."""

    ref: str
    unit_id: str
    to: list[str]


class ReformVerdictAnswer(Answer):
    """What a reform would do; with any finding, nothing."""

    digest: str
    findings: list[FindingAnswer]
    born: list[str]
    ended: list[str]
    clusters: list[MoveAnswer]
    units: list[MoveAnswer]
    undecided: list[UndecidedAnswer]
    slots: list[SlotFateAnswer]
    hours: list[FateAnswer]
    people: list[FateAnswer]
    groups: list[FateAnswer]
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


class ClusterAnswer(Answer):
    """A cluster, and what is known of it now."""

    cluster_id: str
    name: str
    village: str
    unit_id: str
    unit_name: str
    liveness: str
    last_heard_at: Instant | None
    on_air_claim: str
    on_air_title: str
    on_air_class: str
    node_id: str | None
    software: str
    people: int
    holds_newest_plan: bool
    latitude: float | None
    longitude: float | None
    level_dbfs: float | None
    clock_trusted: bool | None
    troubles: list[str]


class ClusterList(Answer):
    """Clusters."""

    clusters: list[ClusterAnswer]


class TimelineQuery(Request):
    """One cluster, one local day."""

    cluster_id: Id
    day: Day


class SpanAnswer(Answer):
    """A stretch of time, and the claim that is heard in it."""

    start: Instant
    end: Instant
    claim_id: str | None
    slot_id: str | None
    title: str
    unit_name: str
    bulletin_class: str
    losers: list[str]


class Timeline(Answer):
    """What one cluster plays on one day."""

    spans: list[SpanAnswer]


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
    gain_db: Annotated[float, Field(ge=-40, le=0, allow_inf_nan=False)] = 0.0
    severity: Annotated[int, Field(ge=0, le=5)] = 0
    decision_number: Annotated[str, Field(max_length=100), AfterValidator(_printable)] = ""
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


class Health(Answer):
    """Whether this program can do its work."""

    status: str
    database: str


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


class AiredQuery(Request):
    """One local day of a unit; all of it, or only what somebody should look at."""

    unit_id: Id
    day: Day
    only_problems: bool = False


class ToldAnswer(Answer):
    """So many clusters ended one thing alike."""

    outcome: str
    reason: str
    clusters: int


class AiredAnswer(Answer):
    """One thing of a day: planned for so many clusters, and what they said of it."""

    claim_id: str
    kind: str
    title: str
    unit_id: str
    unit_name: str
    bulletin_class: str
    start: Instant
    end: Instant | None
    slot_id: str | None
    stopped_at: Instant | None
    planned: int
    waiting: int
    outcomes: dict[str, int]
    reasons: list[ToldAnswer]
    problem: bool


class AiredDayAnswer(Answer):
    """A day, in the order in which it was planned, and its sums over plays at clusters."""

    planned: int
    waiting: int
    outcomes: dict[str, int]
    entries: list[AiredAnswer]


class ClusterDayQuery(Request):
    """One local day of one cluster."""

    cluster_id: Id
    day: Day


class StretchAnswer(Answer):
    """A stretch in which something was heard."""

    start: Instant
    end: Instant


class AtClusterAnswer(Answer):
    """One thing of a day at one cluster; an empty outcome: no word of it yet."""

    claim_id: str
    kind: str
    title: str
    unit_id: str
    start: Instant
    end: Instant | None
    outcome: str
    reason: str
    heard: list[StretchAnswer]


class ClusterDayAnswer(Answer):
    """What was planned for a cluster on a day, and what it sounded."""

    entries: list[AtClusterAnswer]
