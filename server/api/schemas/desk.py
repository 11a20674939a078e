"""What the desk's page and programs like it send and are sent; days and clocks are local."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from server.api.schemas.common import Answer, Day, Id, Instant, Moment, Request
from server.services.desk import MOST_DAYS, MOST_UNITS


class DeskQuery(Request):
    """Rows and days; ``until`` is not among the days."""

    units: Annotated[
        str, Field(pattern=r"^[a-z0-9-]+(,[a-z0-9-]+)*$", description=f"at most {MOST_UNITS} ids")
    ]
    start: Annotated[Day, Field(alias="from", description=f"at most {MOST_DAYS} days")]
    until: Day

    @property
    def unit_ids(self) -> list[str]:
        """The rows asked for."""
        return self.units.split(",")


class DeskClustersQuery(Request):
    """A unit whose clusters are asked for, and days."""

    unit_id: Id
    start: Annotated[Day, Field(alias="from")]
    until: Day


class DeskHoursAnswer(Answer):
    """A stretch of every week, in seconds since Monday midnight."""

    start_s: int
    end_s: int
    hold: str
    owner: str
    rank: int | None
    own: bool


class DeskUnitAnswer(Answer):
    """A row."""

    unit_id: str
    name: str
    level: int
    parent_id: str | None
    children: int
    clusters: int
    may_change: bool
    hours: list[DeskHoursAnswer]


class DeskSlotAnswer(Answer):
    """A slot, and the days on which it begins, counted from the first one asked for."""

    slot_id: str
    unit_id: str
    title: str
    bulletin_class: str
    content_kind: str
    recurrence: str
    start_s: int
    length_s: float
    content_s: float | None
    version: int
    days: list[int]
    reach: list[str] | None


class DeskAnswer(Answer):
    """Rows over some days."""

    start: date
    until: date
    units: list[DeskUnitAnswer]
    slots: list[DeskSlotAnswer]


class HeardSpanAnswer(Answer):
    """A stretch in which something is heard, in seconds since the first midnight asked for."""

    start_s: float
    end_s: float
    title: str
    unit_name: str
    level: int
    bulletin_class: str


class HeardRowAnswer(Answer):
    """One cluster."""

    cluster_id: str
    name: str
    spans: list[HeardSpanAnswer]


class HeardRowsAnswer(Answer):
    """The clusters of one unit."""

    clusters: list[HeardRowAnswer]


class _OfSlot(Request):
    slot_id: Id
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    day: Day
    scope: Literal["day", "onward", "all"]


class MoveRequest(_OfSlot):
    """A slot's new time, asked for at one of its days."""

    to_day: Day
    start_s: Annotated[int, Field(ge=0, lt=86_400)]
    length_s: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)]
    excluded_days: Annotated[
        tuple[Day, ...] | None,
        Field(max_length=1000, description="Days that what is moved is to leave out."),
    ] = None
    override: Annotated[
        tuple[Id, ...] | None,
        Field(max_length=1000, description="Slots of lower levels that it is to lie over."),
    ] = None


class WithdrawalRequest(_OfSlot):
    """Days of a slot that are not to come."""


class CopyRequest(Request):
    """A day or a week of one unit, and where to."""

    unit_id: Id
    first: Day
    days: Literal[1, 7] = 1
    to_days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=60)]
    to_units: Annotated[tuple[Id, ...], Field(max_length=MOST_UNITS)] = ()
    reach: Annotated[
        Literal["all", "alike"],
        Field(
            description="Loudspeakers of other units: `all`, or `alike`: those in villages, with "
            "names or in groups called like the slot's own."
        ),
    ] = "all"
    only_free: bool = False
    dry_run: bool = True


class CopyLineAnswer(Answer):
    """One slot that would be made, and what stands against it."""

    unit_id: str
    title: str
    day: date
    start: str
    clusters: list[str]
    findings: list[str]
    sentences: list[str]


class CopyAnswer(Answer):
    """What a copy would make, or has made."""

    made: int
    free: int
    there: int
    lines: list[CopyLineAnswer]


class ChangeAnswer(Answer):
    """What was done, in words."""

    change_id: int
    kind: str
    sentence: str
    undoable: bool


class WhyQuery(Request):
    """An instant."""

    at: Moment


class WhyLoserAnswer(Answer):
    """What is not heard, and why: a word for programs and a sentence for people."""

    claim_id: str
    title: str
    unit_id: str
    bulletin_class: str
    why: str
    sentence: str


class WhyAbsentAnswer(Answer):
    """A slot of that time of day that does not come on that day."""

    slot_id: str
    title: str
    unit_id: str
    why: str
    sentence: str


class WhyOtherTurnAnswer(Answer):
    """A slot that the cluster sounds before or after those that it overlaps, and when."""

    slot_id: str
    title: str
    unit_id: str
    start: Instant
    end: Instant


class WhyAnswer(Answer):
    """What a cluster sounds at an instant, and why nothing else."""

    cluster_id: str
    at: Instant
    heard_claim_id: str | None
    heard_title: str
    owner: str | None
    quiet: bool
    losers: list[WhyLoserAnswer]
    absent: list[WhyAbsentAnswer]
    other_turns: list[WhyOtherTurnAnswer]
    stopped: list[str]
