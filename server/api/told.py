"""Who was told of an announcement, as programs are told of it."""

from sqlalchemy.orm import Session

from server.api.schemas.broadcasts import AlertAnswer
from server.services.raising import Told, told_of


def alerts_of(db: Session, broadcast_id: str) -> list[AlertAnswer]:
    """List what was told to whom, the earliest first."""
    return [alert_answer(one) for one in told_of(db, broadcast_id)]


def alert_answer(one: Told) -> AlertAnswer:
    """Tell a program of one alert."""
    return AlertAnswer(
        about=one.about,
        after_s=one.alert.after_s,
        contact_id=one.alert.contact_id,
        contact_name=one.contact_name,
        channel_id=one.alert.channel_id,
        channel_name=one.channel_name,
        subject=one.alert.subject,
        created_at=one.alert.created_at,
        state=one.alert.state,
        results=one.alert.results,
    )
