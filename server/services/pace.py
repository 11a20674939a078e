"""How many announcements one person may send: far more than anybody has to say, and no flood."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.domain.authority import Actor
from server.domain.errors import Finding, TooOftenError
from server.store.models import BroadcastRow, WaitingRow

MOST_SENT = 60
SENT_PER = timedelta(minutes=1)


def demand_pace(db: Session, *, actor: Actor, now: datetime) -> None:
    """Go on only while a person has not sent too many within a minute.

    What was sent is what is counted: the same one again counts once, in whatever process; and what
    was sent while the clock was ahead counts no more once it is set right.

    Raises:
        TooOftenError: They have.
    """
    since = now - SENT_PER
    sent = select(func.count()).where(
        # None ends before it was made, and those that have ended are passed over by their index.
        BroadcastRow.end > since,
        BroadcastRow.created_at > since,
        BroadcastRow.created_at <= now,
        BroadcastRow.created_by == actor.name,
    )
    asked = select(func.count()).where(
        WaitingRow.asked_at > since, WaitingRow.asked_at <= now, WaitingRow.asked_by == actor.name
    )
    if db.scalars(sent).one() + db.scalars(asked).one() >= MOST_SENT:
        facts = {"most": str(MOST_SENT)}
        wait_s = int(SENT_PER.total_seconds())
        raise TooOftenError([Finding("too-many-announcements", facts)], wait_s=wait_s)
