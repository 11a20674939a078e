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


OUTCOMES = frozenset(outcome.value for outcome in Outcome)
FINAL = OUTCOMES | {State.REFUSED.value}
"""States in which nothing more is sent."""

# A later copy of an order may be accepted although the first was refused (the node had no
# configuration yet), so a receipt outweighs a refusal, whichever of the two is heard of first.
_STEP = {
    State.SENT: 0,
    State.REFUSED: 1,
    State.RECEIVED: 2,
    State.STARTED: 3,
    State.PREEMPTED: 3,
}
_WAITS_S = (2, 4, 8, 15)


def advances(current: str, changed_at: datetime, word: State, said_at: datetime) -> bool:
    """Say whether a node's word moves a delivery on.

    Nothing moves on from an outcome. Started and pre-empted may follow one another any number of
    times, so between those two the later one by the node's clock holds; at one instant, pre-empted.
    """
    if current in OUTCOMES:
        return False
    before, after = _STEP[State(current)], _STEP[word]
    if before == after:
        return (said_at, word is State.PREEMPTED) > (changed_at, current == State.PREEMPTED)
    return after > before


def next_attempt(attempts: int, now: datetime) -> datetime:
    """Tell when to send again after so many attempts: soon at first, then every 15 s."""
    return now + timedelta(seconds=_WAITS_S[min(attempts, len(_WAITS_S) - 1)])
