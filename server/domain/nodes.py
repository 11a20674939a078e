"""Is a node there: its own word, its will's, and how long ago anything came from it."""

from datetime import datetime, timedelta
from enum import StrEnum

HEARTBEAT = timedelta(seconds=15)
"""How often a node sends its measurements."""

LATE_AFTER = 3 * HEARTBEAT
LOST_AFTER = 12 * HEARTBEAT


class Liveness(StrEnum):
    """What an operator is told of a node."""

    HERE = "here"
    LATE = "late"
    LOST = "lost"
    LEAVING = "leaving"
    NEVER = "never"


def liveness(presence: str, last_heard_at: datetime | None, now: datetime) -> Liveness:
    """Judge by the will *and* by the age of the heartbeat: either alone can be wrong."""
    if last_heard_at is None:
        return Liveness.NEVER
    if presence in (Liveness.LEAVING, Liveness.LOST):
        return Liveness(presence)
    age = now - last_heard_at
    if age >= LOST_AFTER:
        return Liveness.LOST
    return Liveness.LATE if age >= LATE_AFTER else Liveness.HERE
