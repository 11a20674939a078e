"""Write down who did what, in the transaction that did it."""

from datetime import datetime

from sqlalchemy.orm import Session

from server.domain.authority import Actor
from server.store.models import AuditRow


def record(
    db: Session, *, actor: Actor, action: str, subject: str, now: datetime, **detail: object
) -> None:
    """Add one deed to the audit."""
    db.add(AuditRow(at=now, actor=actor.name, action=action, subject=subject, detail=detail))
