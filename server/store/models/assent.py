"""Announcements that wait for a second person, and the rule that asks for one."""

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Document, Id, Instant, LongText, Name, Word


class AssentRuleRow(Base):
    """The rule that a province has laid down; where there is none, the product's own holds.

    Attributes:
        lines: Under ``lines``, as ``server.domain.assent.Line`` has them.
        version: Grows with every change.
    """

    __tablename__ = "assent_rules"

    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), primary_key=True)
    lines: Mapped[Document]
    version: Mapped[int]
    changed_at: Mapped[Instant]
    changed_by: Mapped[Name]


class WaitingRow(Base):
    """An announcement that somebody has asked for and somebody else has to confirm.

    Attributes:
        broadcast_id: Under which it is announced once it is confirmed.
        cover_id: Narrowest unit that covers all it reaches; whoever may announce there may confirm.
        wanted: The announcement as it was asked for.
        ends_at: First instant at which it means nothing any more.
        state: One of ``server.domain.waiting.State``.
    """

    __tablename__ = "waiting_broadcasts"
    __table_args__ = (
        Index(
            "ix_waiting_broadcasts_open",
            "ends_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    broadcast_id: Mapped[Id] = mapped_column(primary_key=True)
    request_id: Mapped[Name] = mapped_column(unique=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))
    cover_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))
    wanted: Mapped[Document]
    clusters: Mapped[int]
    asked_at: Mapped[Instant] = mapped_column(index=True)
    asked_by: Mapped[Name]
    ends_at: Mapped[Instant]
    state: Mapped[Word] = mapped_column(default="waiting")
    decided_at: Mapped[Instant | None]
    decided_by: Mapped[Name | None]
    reason: Mapped[LongText] = mapped_column(default="")
