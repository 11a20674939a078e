"""With what a request sends a bulletin: its person, its time, and the installation's keys."""

from datetime import timedelta

from server.http.context import actor, here, now
from server.services.sending import Way


def way() -> Way:
    """Gather it."""
    settings = here().settings
    return Way(
        now=now(),
        actor=actor(),
        keyring=here().keyring,
        plan_days=settings.plan_days,
        lead=timedelta(seconds=settings.lead_s),
    )
