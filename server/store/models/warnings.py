"""Recordings of prepared warnings, and sounds that are made of several files."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Digest, Id, Instant, Name, Word, WordList


class WarningRecordingRow(Base):
    """What somebody recorded of a prepared warning in a language that no engine speaks.

    Attributes:
        unit_id: Unit that recorded it; those under it use it too, unless they have their own.
        code: Which warning.
    """

    __tablename__ = "warning_recordings"

    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), primary_key=True)
    code: Mapped[Word] = mapped_column(primary_key=True)
    language: Mapped[Word] = mapped_column(primary_key=True)
    digest: Mapped[Digest] = mapped_column(ForeignKey("assets.digest"), index=True)
    created_at: Mapped[Instant]
    created_by: Mapped[Name]


class CompositionRow(Base):
    """A sound that nodes put together from files, some of which they have had for long.

    Attributes:
        digest: The whole in one file, for people to hear.
        key: Digest of the parts, in their order.
        parts: Digests of the files that sound, one right behind the other.
    """

    __tablename__ = "compositions"

    digest: Mapped[Digest] = mapped_column(ForeignKey("assets.digest"), primary_key=True)
    key: Mapped[Digest] = mapped_column(unique=True)
    parts: Mapped[WordList]
