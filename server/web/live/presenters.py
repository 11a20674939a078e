"""A broadcast on its way: what to say first, and whom to call."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.domain.escalation import Rule
from server.http.languages import gettext
from server.services.monitoring import BroadcastStatus, ClusterDelivery
from server.web import words
from server.web.live.forms import LOUDNESS
from server.web.words import Sign

_ENDED_WELL = frozenset({"played"})
_SOUNDING = frozenset({"started"})
_WAITING = frozenset({"sent", "received"})
_TROUBLE = frozenset({"refused", "failed", "missed"})
_MAY_ANSWER = frozenset({"here", "late"})
_STOPPED = frozenset({"stopped", "cut"})


@dataclass(frozen=True, slots=True)
class Line:
    """One cluster of the list."""

    delivery: ClusterDelivery
    sign: Sign
    silent: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a broadcast stands.

    Attributes:
        stopped: Clusters where it did not sound to its end.
        silent: Clusters of which it is time to call somebody: they have not answered or do not
            sound in the time that the rule gives them, or are known not to be connected.
        late: Clusters that were named and have answered since.
        rule: The rule that gives them that time.
        over: Nothing of it can sound any more.
    """

    total: int
    sounding: int
    finished: int
    waiting: int
    troubled: int
    stopped: int
    lines: tuple[Line, ...]
    silent: tuple[ClusterDelivery, ...]
    late: tuple[ClusterDelivery, ...]
    rule: Rule
    over: bool


def progress(status: BroadcastStatus) -> Progress:
    """Sum up, and put first what needs somebody."""
    deliveries = status.deliveries
    lines = sorted((_line(delivery) for delivery in deliveries), key=_urgency)
    waiting = _count(deliveries, _WAITING)
    sounding = _count(deliveries, _SOUNDING) + _count(deliveries, frozenset({"preempted"}))
    broadcast = status.broadcast
    return Progress(
        total=len(deliveries),
        sounding=_count(deliveries, _SOUNDING),
        finished=_count(deliveries, _ENDED_WELL),
        waiting=waiting,
        troubled=_count(deliveries, _TROUBLE),
        stopped=_count(deliveries, _STOPPED),
        lines=tuple(lines),
        silent=tuple(line.delivery for line in lines if line.silent),
        late=tuple(
            line.delivery
            for line in lines
            if line.delivery.answered_late_at is not None and not line.silent
        ),
        rule=status.rule,
        over=broadcast.closed_at is not None or not (waiting or sounding),
    )


def loudness_words(gain_db: float) -> str:
    """Tell how loud something was asked to sound."""
    named = dict(LOUDNESS).get(round(gain_db))
    return gettext(named) if named and gain_db == round(gain_db) else f"{gain_db:g} dB"


def _line(delivery: ClusterDelivery) -> Line:
    unanswered = delivery.state in {"sent", "missed"} and delivery.received_at is None
    # What is known to be away need not be waited for.
    is_away = unanswered and delivery.liveness not in _MAY_ANSWER
    state = "hushed" if delivery.is_hushed else delivery.state
    return Line(delivery, words.delivery(state), bool(delivery.silence) or is_away)


def _urgency(line: Line) -> tuple[int, str, str]:
    order = 0 if line.silent or line.delivery.state in _TROUBLE else 1
    return order, line.delivery.village, line.delivery.cluster_name


def _count(deliveries: Sequence[ClusterDelivery], states: frozenset[str]) -> int:
    return sum(delivery.state in states for delivery in deliveries)
