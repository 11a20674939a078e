"""Silences by order, and what each cluster said of them."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Bytes, Id, Instant, LongText, Name, Serial, Wide, Word


class HushRow(Base):
    """One silence that a unit has ordered, until it was lifted or made stricter.

    Attributes:
        number: Grows with every hush and lift of the unit; nodes go by the highest.
        plan_version: First plan of the unit that says it.
        lift_asked_by: Who would end it; somebody else has to approve.
        ended_by: Who approved.
        superseded_by: The stricter hush that took its place, if one did.
    """

    __tablename__ = "hushes"
    __table_args__ = (
        UniqueConstraint("unit_id", "number"),
        # A unit is silent or not: two at once who hush make one silence.
        Index(
            "uq_hushes_open",
            "unit_id",
            "mode",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    hush_id: Mapped[Id] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))
    mode: Mapped[Word]
    spares_emergencies: Mapped[bool]
    reason: Mapped[Name]
    number: Mapped[Wide]
    since: Mapped[Instant]
    created_by: Mapped[Name]
    token: Mapped[Bytes]
    expires_at: Mapped[Instant]
    plan_version: Mapped[Wide]
    lift_asked_at: Mapped[Instant | None]
    lift_asked_by: Mapped[Name | None]
    ended_at: Mapped[Instant | None] = mapped_column(index=True)
    ended_by: Mapped[Name | None]
    superseded_by: Mapped[Id | None]
    lift_number: Mapped[Wide | None]
    lift_token: Mapped[Bytes | None]
    lift_plan_version: Mapped[Wide | None]


class HushDeliveryRow(Base):
    """One hush at one cluster: what its node has confirmed, and when to tell it again.

    Attributes:
        node_id: Whom the order was sent to last.
        refused: Why the node did not obey, if it said so.
    """

    __tablename__ = "hush_deliveries"
    __table_args__ = (UniqueConstraint("hush_id", "cluster_id"),)

    delivery_id: Mapped[Serial]
    hush_id: Mapped[Id] = mapped_column(ForeignKey("hushes.hush_id"))
    cluster_id: Mapped[Id] = mapped_column(ForeignKey("clusters.cluster_id"), index=True)
    node_id: Mapped[Id | None]
    silent_at: Mapped[Instant | None]
    lifted_at: Mapped[Instant | None]
    refused: Mapped[LongText] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Instant | None] = mapped_column(index=True)
