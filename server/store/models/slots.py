"""Recurring claims on time, the frames they must lie in, and the plans made of them."""

from datetime import date, time

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.store.base import Base
from server.store.models.assets import AssetRow
from server.store.types import (
    Bytes,
    Digest,
    Document,
    Id,
    Instant,
    LongText,
    Name,
    Wide,
    Word,
    WordList,
)


class FrameRow(Base):
    """A stretch of local time on some weekdays that belongs to one unit's programmes.

    Attributes:
        unit_id: Unit whose subtree the frame is laid down for.
        owner_id: Unit whose programmes it is for.
        owner_rank: Level whose units' programmes it is for, where no ``owner_id`` is given;
            neither: whoever asks, under ``unit_id``.
        weekdays: Bit 0 is Monday.
        kind: ``frame``, or ``quiet`` for hours in which only an emergency may sound.
        local_end: Not after ``local_start`` where it lies on the next day; 24:00 is midnight.
        session_limit_s: Longest programme in it.
        volume_ceiling_db: Loudest gain in it.
    """

    __tablename__ = "frames"

    frame_id: Mapped[Id] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), index=True)
    owner_id: Mapped[Id | None] = mapped_column(ForeignKey("units.unit_id"))
    kind: Mapped[Word] = mapped_column(default="frame")
    weekdays: Mapped[int] = mapped_column(default=127)
    local_start: Mapped[time]
    local_end: Mapped[time]
    legal_reference: Mapped[Name] = mapped_column(default="")
    owner_rank: Mapped[int | None]
    session_limit_s: Mapped[int | None]
    volume_ceiling_db: Mapped[float | None]
    withdrawn_at: Mapped[Instant | None]


_ON_AIR = text("withdrawn_at IS NULL")
_ON_AIR_LONG = text("withdrawn_at IS NULL AND duration_s > 3600")


class SlotRow(Base):
    """A recurring claim on time at certain clusters.

    Attributes:
        recurrence: ``once`` (on ``first_day``), ``daily``, ``weekly`` (on ``weekdays``),
            ``monthly``, ``lunar`` or ``rrule`` (as ``pattern`` says, see ``domain.recurrence``).
        holidays: ``any``, ``except`` or ``only``: what public holidays mean to it.
        weekdays: Bit 0 is Monday.
        local_start: Wall-clock time in Asia/Ho_Chi_Minh.
        content_kind: ``files``, ``relay`` or ``live``, see ``domain.slots.ContentKind``.
        start_mode, wait_s: How it takes over from what is sounding, see ``protocol.messages``.
        duration_s: Length on air in seconds, whatever the length of its content.
        first_day, last_day: Local days, both inclusive; no ``last_day``: until withdrawn.
        excluded_days: ISO days on which it does not come.
        languages: Only clusters at which one of these is spoken; none: all.
        overrides: Slots of lower levels that it may lie over.
        version: Grows at every change.
        changed_at: When it was last changed; its times before then were others.
    """

    __tablename__ = "slots"
    __table_args__ = (
        CheckConstraint("duration_s > 0 AND duration_s <= 86400", name="length"),
        CheckConstraint("(content_kind = 'relay') = (relay_url <> '')", name="relay"),
        CheckConstraint("last_day IS NULL OR last_day >= first_day", name="ordered"),
        # By these the slots in another's way are found: of an hour at most by the hour, and the
        # few that last longer.
        Index(
            "ix_slots_by_hour",
            "bulletin_class",
            "local_start",
            sqlite_where=_ON_AIR,
            postgresql_where=_ON_AIR,
        ),
        Index(
            "ix_slots_long",
            "bulletin_class",
            sqlite_where=_ON_AIR_LONG,
            postgresql_where=_ON_AIR_LONG,
        ),
        # Whether any slot of a unit has changed is asked every few seconds; this answers by itself.
        Index("ix_slots_changes", "unit_id", "withdrawn_at", "version"),
    )

    slot_id: Mapped[Id] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))
    title: Mapped[Name]
    bulletin_class: Mapped[Word]
    content_kind: Mapped[Word] = mapped_column(default="files", server_default="files")
    relay_url: Mapped[LongText] = mapped_column(default="", server_default="")
    recurrence: Mapped[Word]
    weekdays: Mapped[int] = mapped_column(default=127)
    pattern: Mapped[LongText] = mapped_column(default="", server_default="")
    holidays: Mapped[Word] = mapped_column(default="any", server_default="any")
    local_start: Mapped[time]
    duration_s: Mapped[float]
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    excluded_days: Mapped[WordList] = mapped_column(default=list, server_default="[]")
    languages: Mapped[WordList] = mapped_column(default=list, server_default="[]")
    overrides: Mapped[WordList] = mapped_column(default=list, server_default="[]")
    start_mode: Mapped[Word] = mapped_column(default="cut", server_default="cut")
    wait_s: Mapped[float] = mapped_column(default=0.0, server_default="0")
    when_cut: Mapped[Word] = mapped_column(default="rejoin")
    gain_db: Mapped[float] = mapped_column(default=0.0)
    created_at: Mapped[Instant]
    created_by: Mapped[Name]
    withdrawn_at: Mapped[Instant | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    changed_at: Mapped[Instant | None]

    items: Mapped[list["SlotItemRow"]] = relationship(
        cascade="all, delete-orphan", lazy="raise", order_by="SlotItemRow.position"
    )
    targets: Mapped[list["SlotTargetRow"]] = relationship(
        cascade="all, delete-orphan", lazy="raise"
    )


class SlotItemRow(Base):
    """One file of a slot, in its place; the same file may come more than once."""

    __tablename__ = "slot_items"

    slot_id: Mapped[Id] = mapped_column(ForeignKey("slots.slot_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    asset_digest: Mapped[Digest] = mapped_column(ForeignKey("assets.digest"), index=True)

    asset: Mapped[AssetRow] = relationship(lazy="raise")


class SlotTargetRow(Base):
    """One target of a slot: ``unit``, ``group``, ``cluster``, or a cluster left out, ``except``."""

    __tablename__ = "slot_targets"

    slot_id: Mapped[Id] = mapped_column(ForeignKey("slots.slot_id"), primary_key=True)
    kind: Mapped[Word] = mapped_column(primary_key=True)
    ref: Mapped[Id] = mapped_column(primary_key=True, index=True)


class PlanRow(Base):
    """The newest plan that a unit has published.

    Attributes:
        source_digest: Of all that the plan was compiled from; as long as it stays the same, there
            is nothing to compile.
    """

    __tablename__ = "plans"

    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), primary_key=True)
    version: Mapped[Wide]
    content_digest: Mapped[Digest]
    source_digest: Mapped[Digest | None]
    token: Mapped[Bytes] = mapped_column(deferred=True)
    published_at: Mapped[Instant]
    expires_at: Mapped[Instant]


class PlanVersionRow(Base):
    """When a version of a unit's plan was published: what a cluster holds tells since when."""

    __tablename__ = "plan_versions"

    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), primary_key=True)
    version: Mapped[Wide] = mapped_column(primary_key=True)
    published_at: Mapped[Instant] = mapped_column(index=True)


class OccurrenceRow(Base):
    """One occurrence of a slot that was published, kept so that silence can be noticed.

    Attributes:
        unit_id, title, bulletin_class: Of its slot, as they were when it began.
        clusters: Those it was planned for, by their ids with commas between.
        turns: Where they took turns: how long each lasts (``lasts_s``), and how much later than
            ``start`` those begin that do not begin then (``later_s``, by cluster).
    """

    __tablename__ = "occurrences"
    __table_args__ = (
        # Of more than a year's occurrences a day's are open.
        Index(
            "ix_occurrences_open",
            "end",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    claim_id: Mapped[str] = mapped_column(primary_key=True)
    slot_id: Mapped[Id] = mapped_column(ForeignKey("slots.slot_id"), index=True)
    unit_id: Mapped[Id] = mapped_column(default="", server_default="")
    title: Mapped[Name] = mapped_column(default="", server_default="")
    bulletin_class: Mapped[Word] = mapped_column(default="", server_default="")
    start: Mapped[Instant] = mapped_column(index=True)
    end: Mapped[Instant] = mapped_column(index=True)
    clusters: Mapped[LongText]
    closed_at: Mapped[Instant | None]
    turns: Mapped[Document] = mapped_column(default=dict, server_default="{}")
