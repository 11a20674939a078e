"""What audio files are for; what they *are* stands in the library's manifests."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Digest, Id, Instant, Name, Word


class AssetRow(Base):
    """An audio file that may be sent to nodes.

    Attributes:
        purpose: ``programme``, ``warning`` (a prepared clip), ``phrase`` (a piece of
            one), ``announcement``, ``chime`` or ``check`` (a test of a loudspeaker).
        unit_id: Unit whose staff may use it; those below it may too.
    """

    __tablename__ = "assets"

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))
    title: Mapped[Name]
    purpose: Mapped[Word]
    language: Mapped[Word] = mapped_column(default="vi")
    duration_s: Mapped[float]
    size_bytes: Mapped[int]
    loudness_lufs: Mapped[float | None]
    file_name: Mapped[Name] = mapped_column(default="")
    created_at: Mapped[Instant]
    created_by: Mapped[Name]
