"""When a cluster counts as not answering, and which step of telling people is due by then."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from protocol.messages import BulletinClass, Outcome
from server.domain.deliveries import State
from server.domain.errors import Finding

LIMITS_S = (3, 3600)
"""Shortest and longest time of a rule: below, the first try has not had its time to come back."""

MOST_STEPS = 4
MOST_CONTACTS = 20

ALL_ANSWER_S = 0
"""Stands for the end among the seconds of steps that were taken: nobody is silent any more."""

_SOUNDED = frozenset(
    {
        State.STARTED.value,
        State.PREEMPTED.value,
        Outcome.PLAYED.value,
        Outcome.CUT.value,
        Outcome.STOPPED.value,
    }
)
"""What a node says that has sounded, or has let something graver go first."""


class Silence(StrEnum):
    """Why a cluster is named."""

    NO_ANSWER = "no-answer"
    NOT_SOUNDING = "not-sounding"


@dataclass(frozen=True, slots=True)
class Step:
    """Whom to tell when clusters are silent so many seconds after an announcement was sent."""

    after_s: int
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a unit expects of its clusters for one class of announcement.

    Attributes:
        answer_s: After so many seconds from sending, a cluster is to have received it.
        start_s: After so many seconds from its sounding time, a cluster is to sound.
        steps: Whom to tell, the earliest first; none: clusters are named on the page alone.
    """

    answer_s: int
    start_s: int
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """What one cluster has said of an announcement.

    Attributes:
        state: That of its delivery.
        waits: Whether another announcement that goes first sounds there, or silence is ordered.
    """

    cluster_id: str
    state: str
    has_received: bool
    has_started: bool
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done about an announcement at one instant.

    Attributes:
        silent: The clusters that do not answer, each with why it is named.
        steps: Steps to be taken now.
        all_answer: Whether those who were told of silence are to be told that it is over.
    """

    silent: Mapping[str, Silence]
    steps: tuple[Step, ...]
    all_answer: bool


DEFAULTS: Mapping[str, Rule] = MappingProxyType(
    {
        BulletinClass.EMERGENCY.value: Rule(answer_s=10, start_s=15),
        BulletinClass.PRIORITY.value: Rule(answer_s=30, start_s=30),
        BulletinClass.ORDINARY.value: Rule(answer_s=60, start_s=60),
    }
)
"""What holds where no unit has laid anything down: clusters are named, and nobody is told."""


def is_settled(word: Word) -> bool:
    """Say whether nothing more is awaited of a cluster: it sounds, or has sounded."""
    return word.has_started or word.state in _SOUNDED


def silence(
    word: Word, rule: Rule, *, sent_at: datetime, start: datetime, now: datetime
) -> Silence | None:
    """Judge one cluster at ``now``; None: it has answered, or still has time.

    Who refuses or fails has answered, but the village hears nothing: it is named as not sounding.
    """
    if is_settled(word) or word.waits:
        return None
    is_late = now >= start + timedelta(seconds=rule.start_s)
    if word.has_received or word.state != State.SENT:
        return Silence.NOT_SOUNDING if is_late else None
    is_unanswered = now >= sent_at + timedelta(seconds=rule.answer_s)
    return Silence.NO_ANSWER if is_unanswered or is_late else None


def silences(
    words: Iterable[Word], rule: Rule, *, sent_at: datetime, start: datetime, now: datetime
) -> dict[str, Silence]:
    """Name the clusters that do not answer at ``now``, each with why it is named."""
    judged = (
        (word.cluster_id, silence(word, rule, sent_at=sent_at, start=start, now=now))
        for word in words
    )
    return {cluster: why for cluster, why in judged if why is not None}


def due(
    rule: Rule,
    words: Sequence[Word],
    taken: Collection[int],
    *,
    sent_at: datetime,
    start: datetime,
    now: datetime,
) -> Due:
    """Tell who is silent at ``now`` and what follows from it, each step once.

    Args:
        rule: The rule of the unit that announces.
        words: What the announcement's clusters have said; settled ones may be left out.
        taken: After how many seconds the steps were due that have been taken.
        sent_at: When the announcement was sent.
        start: When it is to sound.
        now: The instant to judge.
    """
    silent = silences(words, rule, sent_at=sent_at, start=start, now=now)
    is_ended = ALL_ANSWER_S in taken
    steps = tuple(
        step
        for step in rule.steps
        if silent
        and not is_ended
        and step.after_s not in taken
        and now >= sent_at + timedelta(seconds=step.after_s)
    )
    all_answer = bool(taken) and not is_ended and all(map(is_settled, words))
    return Due(silent, steps, all_answer)


def whom(steps: Iterable[Step]) -> dict[str, Step]:
    """Name those to be told now; whom several steps name at once is told by the last of them."""
    return {
        contact: step
        for step in sorted(steps, key=lambda step: step.after_s)
        for contact in step.contacts
    }


def together(rules: Sequence[Rule]) -> Rule:
    """Make one rule of some: nobody whom any of them names is left out, or told later."""
    steps = [step for rule in rules for step in rule.steps]
    times = sorted({step.after_s for step in steps})[:MOST_STEPS]
    named: dict[int, dict[str, None]] = {after_s: {} for after_s in times}
    for step in steps:
        named[min(step.after_s, times[-1])].update(dict.fromkeys(step.contacts))
    return Rule(
        min(rule.answer_s for rule in rules),
        min(rule.start_s for rule in rules),
        tuple(Step(after_s, tuple(named[after_s])) for after_s in times),
    )


def wrong_rule(rule: Rule) -> list[Finding]:
    """Find what keeps a rule from being laid down."""
    low_s, high_s = LIMITS_S
    fields = {"least": str(low_s), "most": str(high_s)}
    return [
        Finding("bad-limit", {**fields, "field": name})
        for name, limit_s in (("answer_s", rule.answer_s), ("start_s", rule.start_s))
        if not low_s <= limit_s <= high_s
    ] + _wrong_steps(rule.steps)


def _wrong_steps(steps: Sequence[Step]) -> list[Finding]:
    low_s, high_s = LIMITS_S
    findings = []
    if len({step.after_s for step in steps}) < len(steps):
        findings.append(Finding("step-twice", {"field": "steps"}))
    if len(steps) > MOST_STEPS:
        findings.append(Finding("too-many-steps", {"field": "steps", "most": str(MOST_STEPS)}))
    for number, step in enumerate(steps, 1):
        at = {"step": str(number), "field": f"step_{number}"}
        if not low_s <= step.after_s <= high_s:
            findings.append(
                Finding("bad-step-time", {**at, "least": str(low_s), "most": str(high_s)})
            )
        if not 0 < len(step.contacts) <= MOST_CONTACTS:
            findings.append(Finding("bad-step-contacts", {**at, "most": str(MOST_CONTACTS)}))
    return findings
