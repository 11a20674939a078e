"""When clusters count as not answering, and which did."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Id, Instant, Name, Word


class EscalationRuleRow(Base):
    """What a unit expects of its clusters, and of those under it, for one class."""

    __tablename__ = "escalation_rules"

    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), primary_key=True)
    bulletin_class: Mapped[Word] = mapped_column(primary_key=True)
    answer_s: Mapped[int]
    start_s: Mapped[int]
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
