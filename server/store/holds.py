"""The last wall against two slots at one time: tables that only PostgreSQL has.

They add to a rule that already holds on both engines, so they stand apart from the models.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE, INT8RANGE, ExcludeConstraint

from server.store.base import Base
from server.store.models import ClusterRow, SlotRow

POSTGRES_ONLY = MetaData(naming_convention=Base.metadata.naming_convention)

CLUSTER_NUMBERS = Table(
    "cluster_numbers",
    POSTGRES_ONLY,
    Column("number", Integer, Identity(), primary_key=True),
    Column(
        "cluster_id", String(64), ForeignKey(ClusterRow.cluster_id), nullable=False, unique=True
    ),
)
"""Whole numbers for clusters: neighbours have neighbouring ones, so that ranges are few."""

SLOT_GUARDS = Table(
    "slot_guards",
    POSTGRES_ONLY,
    Column("slot_id", String(64), ForeignKey(SlotRow.slot_id), primary_key=True),
    Column("checked_on", Date, nullable=False, index=True),
    Column("digest", String(64), nullable=False),
)
"""Up to which day a slot's holds are known to be right, and what they were made of."""

SLOT_HOLDS = Table(
    "slot_holds",
    POSTGRES_ONLY,
    Column("hold_id", BigInteger, Identity(), primary_key=True),
    Column("slot_id", String(64), ForeignKey(SlotRow.slot_id), nullable=False, index=True),
    Column("stretch", INT8RANGE, nullable=False),
    Column("weeks", INT4MULTIRANGE, nullable=False),
    Column("clusters", INT4MULTIRANGE, nullable=False),
    Column("guarded", Boolean, nullable=False),
    ExcludeConstraint(
        ("stretch", "&&"),
        ("weeks", "&&"),
        ("clusters", "&&"),
        where="guarded",
        using="gist",
        name="slot_holds_overlap",
    ),
)
"""The time that slots hold, as ``domain.holds`` has it; unguarded: it may lie over others."""
