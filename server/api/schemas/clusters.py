"""What programs send and are sent of clusters: sheets, lists, and what one will sound."""

from typing import Annotated, Any, Literal

from apiflask.fields import UploadFile
from pydantic import ConfigDict, Field

from server.api.schemas.common import Answer, Day, FindingAnswer, Id, Instant, Request
from server.domain.data_plans import LEAST_PLAN_MB, MOST_PLAN_MB


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


class DataPlanRequest(Request):
    """What the SIM of a cluster may use in a month; null: nobody knows."""

    monthly_mb: Annotated[int | None, Field(ge=LEAST_PLAN_MB, le=MOST_PLAN_MB)]
    first_day: Annotated[int, Field(ge=1, le=31)] = 1


class DataUseAnswer(Answer):
    """What of a SIM's plan is used in its month from ``first`` to before ``after``."""

    monthly_mb: int
    first_day: int
    used_mb: float
    percent: int
    standing: Literal["fine", "near", "over"]
    first: Day
    after: Day
    counted_from: Day | None
    forecast_mb: int | None


class DataPlanAnswer(Answer):
    """The plan of one cluster's SIM; null: it has none."""

    cluster_id: str
    data: DataUseAnswer | None


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
    alarms: list[str]
    alarms_at: Instant | None
    equipment: Annotated[
        list[str] | None,
        Field(description="What is wired to the board of its box; null where it does not tell."),
    ]
    data: DataUseAnswer | None
    machine: Annotated[
        dict[str, Any],
        Field(description="What the node last measured, by the names of the protocol's telemetry."),
    ]


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
