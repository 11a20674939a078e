"""Broadcasts, and what each cluster said of them."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.store.base import Base
from server.store.types import (
    Bytes,
    ClaimKey,
    Digest,
    Document,
    Id,
    Instant,
    LongText,
    Name,
    Serial,
    Wide,
    Word,
)


class BroadcastRow(Base):
    """One order to make sound at certain clusters.

    Attributes:
        kind: ``announcement`` of a file, or ``live``: somebody speaks.
        request_id: Chosen by the sender, so that the same announcement is never made twice.
        decision_number: The committee's decision that an emergency rests on.
        asset_digest: What sounds; of a live broadcast its recording, once there is one.
        start: Sounding time; signing time plus the lead.
        end: First instant at which it may no longer sound.
        token: The signed order, byte for byte, so that a re-send is identical.
        confirmed_by: The second person, where one had to confirm it.
        follows: The announcement that this one corrects or ends, as ``relation`` says.
        targets: ``units``, ``clusters`` and ``except`` as signed, and ``topics``, the units told.
    """

    __tablename__ = "broadcasts"
    __table_args__ = (
        # Asked for every second among all that there ever were.
        Index(
            "ix_broadcasts_open",
            "end",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    broadcast_id: Mapped[Id] = mapped_column(primary_key=True)
    request_id: Mapped[Name] = mapped_column(unique=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), index=True)
    title: Mapped[Name]
    bulletin_class: Mapped[Word]
    mode: Mapped[Word] = mapped_column(default="real")
    severity: Mapped[int] = mapped_column(default=0)
    decision_number: Mapped[Name] = mapped_column(default="")
    kind: Mapped[Word] = mapped_column(default="announcement", server_default="announcement")
    asset_digest: Mapped[Digest | None] = mapped_column(ForeignKey("assets.digest"))
    opening_digest: Mapped[Digest | None] = mapped_column(ForeignKey("assets.digest"))
    repeat: Mapped[int] = mapped_column(default=1)
    gap_s: Mapped[float] = mapped_column(default=0.0)
    gain_db: Mapped[float] = mapped_column(default=0.0)
    targets: Mapped[Document]
    created_at: Mapped[Instant]
    created_by: Mapped[Name]
    confirmed_by: Mapped[Name | None]
    start: Mapped[Instant]
    end: Mapped[Instant] = mapped_column(index=True)
    token: Mapped[Bytes]
    stop_token: Mapped[Bytes | None]
    stopped_at: Mapped[Instant | None]
    stopped_by: Mapped[Name | None]
    closed_at: Mapped[Instant | None]
    follows: Mapped[Id | None] = mapped_column(ForeignKey("broadcasts.broadcast_id"), index=True)
    relation: Mapped[Word] = mapped_column(default="")

    deliveries: Mapped[list["DeliveryRow"]] = relationship(lazy="raise")


class DeliveryRow(Base):
    """One broadcast at one cluster: the truth about what has arrived there.

    Attributes:
        state: ``sent``, ``received``, ``started``, ``preempted``, ``refused`` or an outcome of an
            as-run record (``played``, ``cut``, ``stopped``, ``failed``, ``missed``).
        attempts: How often the order was sent to this node alone, after the first to its unit.
    """

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("broadcast_id", "cluster_id"),)

    delivery_id: Mapped[Serial]
    broadcast_id: Mapped[Id] = mapped_column(ForeignKey("broadcasts.broadcast_id"), index=True)
    cluster_id: Mapped[Id] = mapped_column(ForeignKey("clusters.cluster_id"), index=True)
    node_id: Mapped[Id | None]
    state: Mapped[Word] = mapped_column(default="sent", index=True)
    changed_at: Mapped[Instant]
    reason: Mapped[LongText] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Instant | None] = mapped_column(index=True)
    received_at: Mapped[Instant | None]
    started_at: Mapped[Instant | None]
    ended_at: Mapped[Instant | None]


class AsRunRow(Base):
    """What became of one claim at one cluster: one row, with its segments.

    Attributes:
        source: ``node`` said so, or ``server`` concluded it from silence; a node's word replaces
            the server's conclusion, never the other way round.
    """

    __tablename__ = "as_run"
    __table_args__ = (
        UniqueConstraint("claim_id", "cluster_id"),
        # Counting a day reads this alone, not the rows with all their segments.
        Index("ix_as_run_told", "claim_id", "outcome", "reason", "cluster_id"),
    )

    as_run_id: Mapped[Serial]
    claim_id: Mapped[ClaimKey]
    cluster_id: Mapped[Id] = mapped_column(ForeignKey("clusters.cluster_id"), index=True)
    unit_id: Mapped[Id | None]
    node_id: Mapped[Id | None]
    outcome: Mapped[Word]
    reason: Mapped[LongText] = mapped_column(default="")
    start: Mapped[Instant | None] = mapped_column(index=True)
    end: Mapped[Instant | None]
    segments: Mapped[Document]
    source: Mapped[Word]
    recorded_at: Mapped[Instant]


class RecordLinkRow(Base):
    """The place of one record of a node in the chain of its records.

    Attributes:
        previous: What it says that the digest of the record before it is.
        digest: Its own, computed when it came.
        is_broken: Whether it does not fit the record before it, or another one has its number.
    """

    __tablename__ = "record_links"
    __table_args__ = (
        UniqueConstraint("node_id", "chain", "number"),
        Index("ix_record_links_claim", "cluster_id", "claim_id"),
    )

    link_id: Mapped[Serial]
    node_id: Mapped[Id]
    chain: Mapped[Id]
    number: Mapped[Wide]
    previous: Mapped[Digest]
    digest: Mapped[Digest]
    report_id: Mapped[Id]
    claim_id: Mapped[ClaimKey]
    cluster_id: Mapped[Id] = mapped_column(ForeignKey("clusters.cluster_id"))
    is_broken: Mapped[bool] = mapped_column(default=False, server_default=false())
    received_at: Mapped[Instant]
