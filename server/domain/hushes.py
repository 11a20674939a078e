"""Silence by order: what one person may begin, and only two may end."""

from datetime import datetime, timedelta
from enum import StrEnum

from server.domain.assent import is_asked
from server.domain.errors import Finding

TOKEN_LIFE = timedelta(days=1)
"""How long the order itself holds; the unit's plan goes on saying the same."""


PREFIX = "h-"
"""How the name of a silence begins, and that of no broadcast and no occurrence of a slot."""


class Standing(StrEnum):
    """What is known of one hush at one cluster."""

    SILENT = "silent"
    WAITING = "waiting"
    AWAY = "away"
    REFUSED = "refused"
    LIFTED = "lifted"
    NO_NODE = "none"


def is_hush_id(name: str) -> bool:
    """Say whether a report about ``name`` may be about a hush."""
    return name.startswith(PREFIX)


def lift_findings(
    asked_by: str | None, asked_at: datetime | None, approver: str, now: datetime
) -> list[Finding]:
    """Find what keeps ``approver`` from ending a silence: it takes two people, close together."""
    if asked_by is None or not is_asked(asked_at, now):
        return [Finding("lift-not-asked")]
    return [Finding("own-lift")] if asked_by == approver else []


def is_at_least_as_strict(*, spares_emergencies: bool, than_spares: bool) -> bool:
    """Compare two hushes: one person may make silence stricter, never looser."""
    return than_spares or not spares_emergencies


def standing(
    *, has_node: bool, is_here: bool, is_over: bool, answered: bool, is_refused: bool
) -> Standing:
    """Sum up one cluster.

    Args:
        has_node: Whether there is a node to tell.
        is_here: Whether it answers at all at this moment.
        is_over: Whether the hush has been lifted.
        answered: Whether the node has confirmed the newest that was said: the hush, or its lift.
        is_refused: Whether it has refused it.
    """
    if not has_node:
        return Standing.NO_NODE
    if answered:
        return Standing.LIFTED if is_over else Standing.SILENT
    if is_refused:
        return Standing.REFUSED
    return Standing.WAITING if is_here else Standing.AWAY
