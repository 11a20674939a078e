"""The administrative tree, with dates on everything that a reform may move."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Bytes, Document, Id, Instant, Name, Word


class LevelRow(Base):
    """A level of government: 0 is the highest; how many there are is data."""

    __tablename__ = "levels"

    rank: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name_vi: Mapped[Name]
    name_en: Mapped[Name]


class UnitRow(Base):
    """An administrative unit. Its id never changes and is never used again.

    Attributes:
        takes_turns: Whether loudspeakers that overlap sound its slots one after the other.
    """

    __tablename__ = "units"

    unit_id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]
    level_rank: Mapped[int] = mapped_column(ForeignKey("levels.rank"))
    code: Mapped[Word | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    takes_turns: Mapped[bool] = mapped_column(default=False, server_default=false())


class UnitEdgeRow(Base):
    """Which unit stands under which, from one day to another (half-open)."""

    __tablename__ = "unit_edges"
    __table_args__ = (
        UniqueConstraint("child_id", "valid_from"),
        CheckConstraint("child_id <> parent_id", name="not_own_parent"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="ordered"),
    )

    edge_id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))
    parent_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class UnitKeyRow(Base):
    """A unit's signing key: the private half sealed, the certificate by the root key beside it."""

    __tablename__ = "unit_keys"
    __table_args__ = (Index(None, "unit_id", "valid_from"),)

    key_id: Mapped[Id] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))
    sealed_private: Mapped[Bytes]
    certificate: Mapped[Bytes]
    configures: Mapped[bool]
    valid_from: Mapped[Instant]
    valid_to: Mapped[Instant]
    revoked_at: Mapped[Instant | None]


class GroupRow(Base):
    """Clusters picked by people for convenience, such as a former district; no legal rank."""

    __tablename__ = "groups"

    group_id: Mapped[Id] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))
    name: Mapped[Name]


class GroupMemberRow(Base):
    """One cluster of a group."""

    __tablename__ = "group_members"

    group_id: Mapped[Id] = mapped_column(ForeignKey("groups.group_id"), primary_key=True)
    cluster_id: Mapped[Id] = mapped_column(ForeignKey("clusters.cluster_id"), primary_key=True)


class TreeStateRow(Base):
    """One row that names what the tree rests on.

    Triggers give it a new name, by chance, with whatever changes units, edges, the places and
    languages of clusters, or groups. A row and triggers are made by the migration alone.
    """

    __tablename__ = "tree_state"
    __table_args__ = (CheckConstraint("one = 1", name="one_row"),)

    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    token: Mapped[Word]


class SheetDraftRow(Base):
    """A sheet of clusters that somebody has sent and not yet confirmed."""

    __tablename__ = "sheet_drafts"

    draft_id: Mapped[Id] = mapped_column(primary_key=True)
    actor: Mapped[Name]
    file_name: Mapped[Name]
    content: Mapped[Bytes]
    created_at: Mapped[Instant] = mapped_column(index=True)


class ReformRow(Base):
    """A reform of the tree: a draft until it is approved, then what is done on its day.

    Attributes:
        unit_id: The unit above all that changes.
        proposal: What is asked for, see ``domain.reforms.Proposal``.
        seen: What its effects were when somebody last looked at them.
        version: Grows with every change of the draft.
        settled: What was decided when it was approved: units that end, clusters that move.
        began_at: When slots, rights and hours were passed on, on its day.
        done_at: When the last node was told of its new place.
    """

    __tablename__ = "reforms"

    reform_id: Mapped[Id] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))
    title: Mapped[Name]
    valid_from: Mapped[date] = mapped_column(index=True)
    proposal: Mapped[Document]
    seen: Mapped[Document] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Instant]
    created_by: Mapped[Name]
    changed_at: Mapped[Instant]
    settled: Mapped[Document] = mapped_column(default=dict)
    approved_at: Mapped[Instant | None]
    approved_by: Mapped[Name] = mapped_column(default="")
    began_at: Mapped[Instant | None]
    done_at: Mapped[Instant | None]
