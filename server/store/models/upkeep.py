"""Orders to the one node of a cluster, and what it has answered."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Bytes, Document, Id, Instant, LongText, Name, Word


class UpkeepRow(Base):
    """One order.

    Attributes:
        deed: ``spoken``, ``quiet``, ``identify``, ``restart`` or ``volume``.
        facts: What was asked for besides.
        token: What is sent; None for what the configuration says.
        end: ``done``, ``refused`` or ``failed``; empty while that is open.
        reason: Why, or with what.
    """

    __tablename__ = "upkeep_orders"
    __table_args__ = (Index(None, "cluster_id", "created_at"),)

    order_id: Mapped[Id] = mapped_column(primary_key=True)
    cluster_id: Mapped[Id] = mapped_column(ForeignKey("clusters.cluster_id"))
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))
    node_id: Mapped[Id] = mapped_column(ForeignKey("nodes.node_id"))
    deed: Mapped[Word]
    facts: Mapped[Document]
    created_at: Mapped[Instant]
    created_by: Mapped[Name]
    token: Mapped[Bytes | None]
    expires_at: Mapped[Instant]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Instant | None] = mapped_column(index=True)
    received_at: Mapped[Instant | None]
    started_at: Mapped[Instant | None]
    ended_at: Mapped[Instant | None]
    end: Mapped[Word] = mapped_column(default="")
    reason: Mapped[LongText] = mapped_column(default="")
