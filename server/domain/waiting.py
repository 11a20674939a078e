"""An announcement that waits for a second person: its states, and who may decide."""

from datetime import datetime
from enum import StrEnum

from server.domain.assent import ASKED_FOR
from server.domain.errors import Finding


class State(StrEnum):
    """Where it stands; all but the first are for good."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


LEFT_AT_MOST = 2 * ASKED_FOR
"""What would wait longer was asked for by a clock that was ahead: nobody means it for that long."""


def state_at(state: str, ends_at: datetime, now: datetime) -> State:
    """Tell its state at ``now``: past its time it has lapsed, whether anybody noted it or not."""
    is_over = not now < ends_at <= now + LEFT_AT_MOST
    return State.LAPSED if is_over and state == State.WAITING else State(state)


def decision_findings(state: State, *, asked_by: str, actor: str) -> list[Finding]:
    """Find what keeps ``actor`` from confirming or refusing: nobody is their own second person."""
    if state is not State.WAITING:
        return [Finding(f"waiting-{state.value}")]
    return [Finding("own-confirmation")] if asked_by == actor else []
