"""Texts that were spoken, so that the same words are not synthesised a second time."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Digest, Instant, LongText, Name, Word


class SpeechRow(Base):
    """What one engine made of one text, said in one manner.

    Attributes:
        key: Digest of engine, manner and words.
        digest: The audio that came of it.
        text: As it was written.
        said: As it was read, with what somebody corrected.
        engine: What spoke.
        language: Tag of the voice.
    """

    __tablename__ = "speeches"

    key: Mapped[Digest] = mapped_column(primary_key=True)
    digest: Mapped[Digest] = mapped_column(ForeignKey("assets.digest"), index=True)
    text: Mapped[LongText]
    said: Mapped[LongText]
    engine: Mapped[Name]
    language: Mapped[Word]
    created_at: Mapped[Instant]
    created_by: Mapped[Name]
