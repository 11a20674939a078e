"""What is to be published, and what was taken in: kept until the other side has it."""

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Bytes, Id, Instant, Serial, Wide, Word


class OutboxRow(Base):
    """Final bytes on their way to the broker; done when the broker has confirmed them."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "published_at", "outbox_id"),)

    outbox_id: Mapped[Serial]
    topic: Mapped[str] = mapped_column(Text)
    payload: Mapped[Bytes]
    retained: Mapped[bool]
    expires_at: Mapped[Instant | None]
    created_at: Mapped[Instant]
    published_at: Mapped[Instant | None]


class ReportRow(Base):
    """A report that was taken in; its second copy changes nothing."""

    __tablename__ = "reports"

    node_id: Mapped[Id] = mapped_column(primary_key=True)
    report_id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[Word]
    received_at: Mapped[Instant] = mapped_column(index=True)


class RefusalRow(Base):
    """A message that a node refused, or that the server refused of a node."""

    __tablename__ = "refusals"

    refusal_id: Mapped[Serial]
    node_id: Mapped[Id]
    topic: Mapped[str] = mapped_column(Text)
    reason: Mapped[Word]
    message_id: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    count: Mapped[Wide] = mapped_column(default=1)
    at: Mapped[Instant] = mapped_column(index=True)


class EventRow(Base):
    """Something that an open page may want to know; numbered, so that a page can catch up."""

    __tablename__ = "events"

    event_id: Mapped[Serial]
    kind: Mapped[Word]
    ref: Mapped[str] = mapped_column(Text)
    at: Mapped[Instant] = mapped_column(index=True)
