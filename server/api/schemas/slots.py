"""What programs send and are sent of slots; their times are local wall-clock time."""

from datetime import date, time
from typing import Annotated, Literal

from pydantic import Field

from protocol.messages import LEAST_GAIN_DB
from server.api.schemas.common import (
    ALL_WEEK,
    Answer,
    BulletinClassName,
    Digest,
    Id,
    Ids,
    Instant,
    Request,
    Title,
)

_PATTERN = (
    "monthly: BYMONTHDAY=15, BYMONTHDAY=-1 or BYDAY=2TU; "
    "lunar: DAY=15, DAY=-1 or DAY=10;MONTH=3, and LEAP=regular, leap or both; "
    "rrule: lines RRULE, EXDATE and RDATE of RFC 5545, in days or longer; otherwise empty"
)
_HOLIDAYS = "what the public holidays of Viet Nam mean to the slot"


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
    weekdays: Annotated[int, Field(ge=0, le=ALL_WEEK)] = ALL_WEEK
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
    gain_db: Annotated[float, Field(ge=LEAST_GAIN_DB, le=0, allow_inf_nan=False)] = 0.0


class SlotChange(SlotRequest):
    """A slot as it is to be from now on, and the version that was changed."""

    version: Annotated[int, Field(ge=1)]


class SlotTrial(SlotRequest):
    """A slot that is not to be saved yet, in place of one or as a new one."""

    slot_id: Id | None = None


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
