"""Counts what was refused, and says which of it is worth a report.

An enemy may send a thousand bad messages a second: the same reason on the same topic is reported
at once the first time, then at most once a minute with a count. What is genuine, and refused for
what it finds, is reported by itself, once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import final

from edge.runs import UNNUMBERED
from protocol.errors import Refusal
from protocol.messages import Refused

EVERY = timedelta(seconds=60)
_MOST_KINDS = 200
_ONE_BY_ONE = frozenset(
    {
        Refusal.REPLAYED,
        Refusal.QUIET_HOURS,
        Refusal.HUSHED,
        Refusal.BUSY,
        Refusal.UNABLE,
    }
)
"""Said of orders that are genuine, each of which somebody waits for the answer to."""
_NOT_UNDERSTOOD = frozenset({Refusal.GARBLED, Refusal.TOO_LARGE, Refusal.UNKNOWN_KIND})


@dataclass(frozen=True, slots=True)
class BadMessage:
    """A message that was refused, as far as it could be read."""

    topic: str
    reason: Refusal
    message_id: str
    claim_id: str = ""
    detail: str = ""


@dataclass(slots=True)
class _Seen:
    reported_at: datetime
    unreported: int = 0


@final
class Refusals:
    """The count of one node.

    Attributes:
        counts: How many were refused since the start, by reason.
        plan_trouble: That a plan came which cannot be read; empty, or made so: none since.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.plan_trouble = ""
        self._seen: dict[tuple[str, ...], _Seen] = {}

    def note(self, bad: BadMessage, now: datetime) -> Refused | None:
        """Count a refusal, and give the report that it is time for, if it is."""
        self.counts[bad.reason.value] = self.counts.get(bad.reason.value, 0) + 1
        if bad.topic.endswith("/plan") and bad.reason in _NOT_UNDERSTOOD:
            self.plan_trouble = "plan-refused"
        once = bad.reason in _ONE_BY_ONE
        key = (bad.topic[:200], bad.reason.value, bad.message_id if once else "")
        seen = self._seen.get(key)
        if seen is None:
            if len(self._seen) >= _MOST_KINDS:
                self._forget(now)
            self._seen[key] = _Seen(now)
            return _report(bad, now, 1)
        if once or now - seen.reported_at < EVERY:
            seen.unreported += 1
            return None
        count, seen.unreported, seen.reported_at = seen.unreported + 1, 0, now
        return _report(bad, now, count)

    def _forget(self, now: datetime) -> None:
        old = [key for key, seen in self._seen.items() if now - seen.reported_at >= EVERY]
        for key in old or list(self._seen):
            del self._seen[key]


def _report(bad: BadMessage, now: datetime, count: int) -> Refused:
    return Refused(
        report_id=UNNUMBERED,
        at=now,
        topic=bad.topic[:200],
        reason=bad.reason,
        message_id=bad.message_id[:64],
        claim_id=bad.claim_id,
        detail=bad.detail[:200],
        count=count,
    )
