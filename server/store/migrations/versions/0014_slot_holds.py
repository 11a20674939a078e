"""On PostgreSQL the database itself refuses two slots at one time: holds of slots, and numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE, INT8RANGE, ExcludeConstraint

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "cluster_numbers",
        sa.Column("number", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("cluster_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_cluster_numbers")),
        sa.UniqueConstraint("cluster_id", name=op.f("uq_cluster_numbers_cluster_id")),
        sa.ForeignKeyConstraint(
            ["cluster_id"],
            ["clusters.cluster_id"],
            name=op.f("fk_cluster_numbers_cluster_id_clusters"),
        ),
    )
    op.create_table(
        "slot_guards",
        sa.Column("slot_id", sa.String(64), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("slot_id", name=op.f("pk_slot_guards")),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["slots.slot_id"], name=op.f("fk_slot_guards_slot_id_slots")
        ),
    )
    op.create_index(op.f("ix_slot_guards_checked_on"), "slot_guards", ["checked_on"])
    op.create_table(
        "slot_holds",
        sa.Column("hold_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("slot_id", sa.String(64), nullable=False),
        sa.Column("stretch", INT8RANGE(), nullable=False),
        sa.Column("weeks", INT4MULTIRANGE(), nullable=False),
        sa.Column("clusters", INT4MULTIRANGE(), nullable=False),
        sa.Column("guarded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_slot_holds")),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["slots.slot_id"], name=op.f("fk_slot_holds_slot_id_slots")
        ),
        ExcludeConstraint(
            ("stretch", "&&"),
            ("weeks", "&&"),
            ("clusters", "&&"),
            where="guarded",
            using="gist",
            name="slot_holds_overlap",
        ),
    )
    op.create_index(op.f("ix_slot_holds_slot_id"), "slot_holds", ["slot_id"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("slot_holds", "slot_guards", "cluster_numbers"):
            op.drop_table(table)
