"""When clusters count as not answering, which did, whom to tell, and what they were told."""

from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, String, UniqueConstraint
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Bytes, Id, Instant, Json, LongText, Name, Serial, Word


class EscalationRuleRow(Base):
    """What a unit expects of its clusters, and of those under it, for one class."""

    __tablename__ = "escalation_rules"

    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), primary_key=True)
    bulletin_class: Mapped[Word] = mapped_column(primary_key=True)
    answer_s: Mapped[int]
    start_s: Mapped[int]
    steps: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    changed_at: Mapped[Instant]
    changed_by: Mapped[Name]


class UnansweredRow(Base):
    """A cluster that was named for one announcement.

    Attributes:
        why: ``no-answer`` or ``not-sounding``, the last that was seen.
        since: When it was named first.
        answered_at: When it was seen not to be silent any more; null while it is.
    """

    __tablename__ = "unanswered"

    broadcast_id: Mapped[Id] = mapped_column(
        ForeignKey("broadcasts.broadcast_id"), primary_key=True
    )
    cluster_id: Mapped[Id] = mapped_column(ForeignKey("clusters.cluster_id"), primary_key=True)
    why: Mapped[Word]
    since: Mapped[Instant]
    answered_at: Mapped[Instant | None]


class EscalationRow(Base):
    """A step that was taken for one announcement, or its end (``after_s`` is 0); each once."""

    __tablename__ = "escalations"

    broadcast_id: Mapped[Id] = mapped_column(
        ForeignKey("broadcasts.broadcast_id"), primary_key=True
    )
    after_s: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[Instant]
    silent: Mapped[int]
    total: Mapped[int]


class ContactRow(Base):
    """Somebody to be told; who is forgotten stays, for what they were told refers to them.

    Attributes:
        language: ``vi`` or ``en``: in which they are told.
        login: Account of theirs, so that they are told what waits for them to be confirmed.
    """

    __tablename__ = "contacts"

    contact_id: Mapped[Id] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), index=True)
    name: Mapped[Name]
    phone: Mapped[Word] = mapped_column(default="")
    language: Mapped[Word] = mapped_column(default="vi")
    login: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[Instant]
    created_by: Mapped[Name]
    gone_at: Mapped[Instant | None]


class AlertChannelRow(Base):
    """A way to tell somebody.

    Attributes:
        sealed_url: The address with its secrets, sealed; null once the channel is forgotten.
    """

    __tablename__ = "alert_channels"

    channel_id: Mapped[Id] = mapped_column(primary_key=True)
    contact_id: Mapped[Id] = mapped_column(ForeignKey("contacts.contact_id"), index=True)
    name: Mapped[Name]
    scheme: Mapped[Word]
    sealed_url: Mapped[Bytes | None]
    created_at: Mapped[Instant]
    gone_at: Mapped[Instant | None]


class AlertRow(Base):
    """What one channel is told, once, and what became of each try.

    Attributes:
        broadcast_id: The announcement of which silent clusters are told.
        waiting_id: What waits to be confirmed; where neither stands, it is a test.
        after_s: Which step of it; 0 tells that nobody is silent any more.
        target: The channel, or the contact where there is none: who is to be called by telephone.
        next_try_at: When it is tried; while it is being sent, when that counts as interrupted.
        results: Each try: ``at``, ``result`` and the service's own ``words``.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("broadcast_id", "after_s", "target"),
        UniqueConstraint("waiting_id", "target"),
    )

    alert_id: Mapped[Serial]
    broadcast_id: Mapped[Id | None] = mapped_column(ForeignKey("broadcasts.broadcast_id"))
    waiting_id: Mapped[Id | None] = mapped_column(ForeignKey("waiting_broadcasts.broadcast_id"))
    after_s: Mapped[int]
    target: Mapped[Id] = mapped_column(index=True)
    contact_id: Mapped[Id] = mapped_column(ForeignKey("contacts.contact_id"))
    channel_id: Mapped[Id | None] = mapped_column(ForeignKey("alert_channels.channel_id"))
    subject: Mapped[LongText]
    body: Mapped[LongText]
    created_at: Mapped[Instant]
    state: Mapped[Word]
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[Instant | None] = mapped_column(index=True)
    results: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)

    @hybrid_property
    def is_test(self) -> bool:
        """Whether it is about nothing but the channel itself."""
        return self.broadcast_id is None and self.waiting_id is None

    @is_test.inplace.expression
    @classmethod
    def _is_test(cls) -> ColumnElement[bool]:
        return cls.broadcast_id.is_(None) & cls.waiting_id.is_(None)
