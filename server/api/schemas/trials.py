"""What programs are told that saving a slot would change."""

from datetime import date

from server.api.schemas.common import Answer, Instant


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


class TrialTurns(Answer):
    """How loudspeakers that overlap share out the time of a slot among their turns.

    Where it has no room for all turns, all sound it at once.
    """

    turn_count: int
    each_s: int
    needed_s: int
    fits: bool


class TrialAnswer(Answer):
    """What saving a slot would change on the first days on which it comes.

    ``slack_s``: how much longer it lasts than its files; after them it is silent, or what else is
    due then is heard. Negative: that much of their end is not heard. None: neither.
    """

    changed: int
    reached: int
    days: list[date]
    is_silent: bool
    slack_s: float | None
    turns: TrialTurns | None
    groups: list[TrialGroup]
    loses_to: list[TrialWinner]
    findings: list[TrialFinding]
