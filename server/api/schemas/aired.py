"""What programs are sent of what was planned, beside what sounded."""

from server.api.schemas.common import Answer, Day, Id, Instant, Request


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
