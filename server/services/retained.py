"""What a broker may have lost that came back from its last snapshot."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.store.models import OutboxRow

RECENT = timedelta(minutes=2)
"""Longer than any snapshot's interval: the embedded Mosquitto makes one every 30 s."""


def recently_retained(db: Session, *, now: datetime) -> list[tuple[str, bytes]]:
    """List the newest of what was retained lately, by topic."""
    newest = (
        select(func.max(OutboxRow.outbox_id))
        .where(OutboxRow.retained, OutboxRow.published_at > now - RECENT)
        .group_by(OutboxRow.topic)
    )
    rows = select(OutboxRow.topic, OutboxRow.payload).where(OutboxRow.outbox_id.in_(newest))
    return [(topic, payload) for topic, payload in db.execute(rows.order_by(OutboxRow.outbox_id))]
