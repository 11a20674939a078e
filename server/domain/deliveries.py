"""What has become of one order at one cluster, whatever the order in which word of it arrives."""

from datetime import datetime, timedelta
from enum import StrEnum

from protocol.messages import Outcome


class State(StrEnum):
    """Where a delivery stands; after these comes the outcome of the as-run record."""

    SENT = "sent"
    RECEIVED = "received"
    STARTED = "started"
    PREEMPTED = "preempted"
    REFUSED = "refused"


FINAL = frozenset({State.REFUSED.value, *(outcome.value for outcome in Outcome)})

_STEP = {State.SENT: 0, State.RECEIVED: 1, State.STARTED: 2, State.PREEMPTED: 2}
_WAITS_S = (2, 4, 8, 15)


def advances(current: str, changed_at: datetime, word: State, said_at: datetime) -> bool:
    """Say whether a node's word moves a delivery on.

    Nothing moves on from an outcome. Started and pre-empted may follow one another any number of
    times, so between those two the later one by the node's clock holds.
    """
    if current in FINAL:
        return False
    if word is State.REFUSED:
        return current == State.SENT
    before, after = _STEP[State(current)], _STEP[word]
    if before == after:
        return said_at > changed_at
    return after > before


def next_attempt(attempts: int, now: datetime) -> datetime:
    """Tell when to send again after so many attempts: soon at first, then every 15 s."""
    return now + timedelta(seconds=_WAITS_S[min(attempts, len(_WAITS_S) - 1)])
