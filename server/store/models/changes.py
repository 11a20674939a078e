"""What people changed at the desk, kept so that they can take it back."""

from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Document, Instant, LongText, Name, Serial, Word


class SlotChangeRow(Base):
    """One change of one or many slots that belongs together.

    Attributes:
        kind: ``move``, ``withdraw`` or ``copy``.
        title: Of the slot, or of the first of them.
        steps: Under ``steps``, for each slot what it was, what it became and its version since.
        undone_at: When its author took it back; None: it stands.
    """

    __tablename__ = "slot_changes"

    change_id: Mapped[Serial]
    actor: Mapped[Name] = mapped_column(index=True)
    at: Mapped[Instant] = mapped_column(index=True)
    kind: Mapped[Word]
    title: Mapped[LongText]
    steps: Mapped[Document]
    undone_at: Mapped[Instant | None]
