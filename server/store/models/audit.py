"""Who did what, when; written in the same transaction as the deed."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Document, Instant, Name, Serial, Word


class AuditRow(Base):
    """One deed of one actor."""

    __tablename__ = "audit"

    audit_id: Mapped[Serial]
    at: Mapped[Instant] = mapped_column(index=True)
    actor: Mapped[Name]
    action: Mapped[Word]
    subject: Mapped[str] = mapped_column(Text)
    detail: Mapped[Document]
