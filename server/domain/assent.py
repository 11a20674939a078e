"""How many people an announcement takes, and whether its sender has to prove twice who they are.

The rule is data: lines that say what is asked for where an announcement reaches so far at such an
hour. Nobody is ever locked out by it: where there is nobody else, one person is enough.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from protocol.messages import BulletinClass
from server.domain.errors import Finding

ASKED_FOR = timedelta(minutes=15)
"""How long a wish waits for a second person; after that it means nothing."""

MOST_LINES = 20
HOURS = 24
MOST_CLUSTERS = 100_000
TWO = 2

_NIGHT = (22, 5)
_MANY_AT_NIGHT = 5
_MANY = 20


class Missing(StrEnum):
    """What an announcement still lacks."""

    FACTOR = "second-factor-needed"
    PERSON = "second-person-needed"


@dataclass(frozen=True, slots=True)
class Line:
    """What is asked for where an announcement reaches so far, at such an hour.

    Attributes:
        level: Rank of the narrowest unit that covers all it reaches.
        start_hour, end_hour: On the wall; an end before the start lies on the next day, and the
            same hour twice is the whole day.
        over_clusters: It holds for more clusters than this.
        persons: One, or two.
        factor: An emergency asks its sender for a second factor.
    """

    level: int
    start_hour: int
    end_hour: int
    over_clusters: int
    persons: int
    factor: bool = False


@dataclass(frozen=True, slots=True)
class Radius:
    """How far an announcement reaches, and when."""

    bulletin_class: str
    level: int
    clusters: int
    local_hour: int


@dataclass(frozen=True, slots=True)
class Needs:
    """What the rule asks for."""

    persons: int = 1
    factor: bool = False


@dataclass(frozen=True, slots=True)
class Sender:
    """What is known of whoever sends.

    Attributes:
        has_factor: A second factor is set up.
        is_fresh: It was proven a short time ago.
        has_others: Somebody else may announce the same.
        prefers_other: They would rather have somebody else confirm than prove the factor.
    """

    has_factor: bool
    is_fresh: bool
    has_others: bool
    prefers_other: bool = False


def needs(lines: Iterable[Line], radius: Radius) -> Needs:
    """Decide what an announcement takes: the strictest of what the lines say."""
    holding = [line for line in lines if _holds(line, radius)]
    is_emergency = radius.bulletin_class == BulletinClass.EMERGENCY
    return Needs(
        persons=max((line.persons for line in holding), default=1),
        factor=is_emergency and any(line.factor for line in holding),
    )


def missing(asked: Needs, sender: Sender) -> Missing | None:
    """Tell what is still missing, the sender's own part first.

    Somebody else stands in for a factor that is not set up or not at hand; where there is neither
    factor nor anybody else, the announcement goes: a rule must not silence a village.
    """
    nobody_can = not sender.has_factor and not sender.has_others
    lacks_factor = asked.factor and not sender.is_fresh and not nobody_can
    if lacks_factor and not (sender.prefers_other and sender.has_others):
        return Missing.FACTOR
    if (lacks_factor or asked.persons >= TWO) and sender.has_others:
        return Missing.PERSON
    return None


def may_ask_factor(lines: Iterable[Line], *, level: int, clusters: int) -> bool:
    """Say whether an emergency of a unit may ask for a second factor, at some hour or other.

    Args:
        lines: What the rule says.
        level: Rank of the unit.
        clusters: How many are under it.
    """
    return any(
        line.factor and line.level >= level and line.over_clusters < clusters for line in lines
    )


def default_lines(levels: Collection[int]) -> tuple[Line, ...]:
    """Say what holds until a province lays down its own rule.

    Never two in a commune: by night nobody else may be awake when the river rises. A code of its
    officer's own keeps whoever found a phone from waking it.
    """
    ranks = sorted(set(levels))
    above = tuple(Line(rank, 0, 0, _MANY, TWO, factor=True) for rank in ranks[:-1])
    lowest = tuple(Line(rank, *_NIGHT, _MANY_AT_NIGHT, 1, factor=True) for rank in ranks[-1:])
    return above + lowest


def wrong_lines(lines: Sequence[Line], levels: Collection[int]) -> list[Finding]:
    """Find what is wrong with a rule that somebody would lay down."""
    findings = []
    if len(lines) > MOST_LINES:
        findings.append(Finding("too-many-lines", {"most": str(MOST_LINES)}))
    if any(line.level not in levels for line in lines):
        findings.append(Finding("bad-level"))
    if any(not _are_hours(line) for line in lines):
        findings.append(Finding("bad-hours"))
    if any(not 0 <= line.over_clusters <= MOST_CLUSTERS for line in lines):
        findings.append(Finding("bad-cluster-count"))
    if any(line.persons not in {1, TWO} for line in lines):
        findings.append(Finding("bad-persons"))
    return findings


def is_asked(asked_at: datetime | None, now: datetime) -> bool:
    """Say whether somebody's wish still waits for a second person."""
    return asked_at is not None and asked_at <= now < asked_at + ASKED_FOR


def _holds(line: Line, radius: Radius) -> bool:
    if line.level != radius.level or radius.clusters <= line.over_clusters:
        return False
    start, end, hour = line.start_hour, line.end_hour, radius.local_hour
    if start < end:
        return start <= hour < end
    return start == end or hour >= start or hour < end


def _are_hours(line: Line) -> bool:
    return 0 <= line.start_hour < HOURS and 0 <= line.end_hour < HOURS
