"""Bulletins, what was done with them, what each commune made of them, and the ranks it gave."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.store.base import Base
from server.store.types import (
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


class BulletinRow(Base):
    """Content with a class and an approval history, sent to communes.

    Attributes:
        request_id: Chosen by the sender, so that the same bulletin is never composed twice.
        addressed: ``units``: those whose communes get it; which these are is settled when sent.
        deadline: Until when a commune may answer; for a priority one, by when it must be placed.
        version: Of words, sound and addressees; grows with every edit.
        broadcast_id: The announcement that an emergency was sent as.
    """

    __tablename__ = "bulletins"

    bulletin_id: Mapped[Id] = mapped_column(primary_key=True)
    request_id: Mapped[Name] = mapped_column(unique=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), index=True)
    title: Mapped[Name]
    text: Mapped[LongText] = mapped_column(default="")
    bulletin_class: Mapped[Word]
    asset_digest: Mapped[Digest | None] = mapped_column(ForeignKey("assets.digest"))
    addressed: Mapped[Document]
    deadline: Mapped[Instant | None]
    decision_number: Mapped[Name] = mapped_column(default="")
    severity: Mapped[int] = mapped_column(default=0)
    state: Mapped[Word] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Instant] = mapped_column(index=True)
    created_by: Mapped[Name]
    approved_by: Mapped[Name | None]
    sent_at: Mapped[Instant | None]
    closed_at: Mapped[Instant | None]
    broadcast_id: Mapped[Id | None] = mapped_column(ForeignKey("broadcasts.broadcast_id"))

    acts: Mapped[list["BulletinActRow"]] = relationship(
        lazy="raise", order_by="BulletinActRow.act_id"
    )


class BulletinActRow(Base):
    """One thing that somebody did with a bulletin.

    Attributes:
        unit_id: The commune in whose name it was done, where it was one.
    """

    __tablename__ = "bulletin_acts"

    act_id: Mapped[Serial]
    bulletin_id: Mapped[Id] = mapped_column(ForeignKey("bulletins.bulletin_id"), index=True)
    at: Mapped[Instant]
    actor: Mapped[Name]
    act: Mapped[Word]
    version: Mapped[int]
    unit_id: Mapped[Id | None]
    reason: Mapped[LongText] = mapped_column(default="")


class BulletinCopyRow(Base):
    """A sent bulletin in the inbox of one commune.

    Attributes:
        answer: ``waiting``, ``taken``, ``declined``, ``placed``, ``unplaced``, ``announced`` or
            ``withdrawn``; what has become of it besides is found from the other columns.
        clusters: How many the commune had when it was sent.
        sounded: On how many of them it has been heard.
        until: End of the last time that it comes there.
    """

    __tablename__ = "bulletin_copies"

    bulletin_id: Mapped[Id] = mapped_column(ForeignKey("bulletins.bulletin_id"), primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), primary_key=True, index=True)
    answer: Mapped[Word]
    slot_id: Mapped[Id | None] = mapped_column(ForeignKey("slots.slot_id"), index=True)
    until: Mapped[Instant | None]
    reason: Mapped[LongText] = mapped_column(default="")
    answered_at: Mapped[Instant | None]
    answered_by: Mapped[Name | None]
    clusters: Mapped[int] = mapped_column(default=0)
    sounded: Mapped[int] = mapped_column(default=0)


class ClaimRankRow(Base):
    """The place that a commune has given to one priority claim among those that clash there."""

    __tablename__ = "claim_ranks"

    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), primary_key=True)
    claim_id: Mapped[ClaimKey] = mapped_column(primary_key=True)
    rank: Mapped[Wide]
    ends: Mapped[Instant] = mapped_column(index=True)
    given_at: Mapped[Instant]
    given_by: Mapped[Name]
