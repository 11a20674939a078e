"""Silences by order, and what each cluster said of them."""

import sqlalchemy as sa
from alembic import op

from server.store.types import InstantType

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hushes",
        sa.Column("hush_id", sa.String(64), nullable=False),
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("spares_emergencies", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("number", _WIDE, nullable=False),
        sa.Column("since", InstantType(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", InstantType(), nullable=False),
        sa.Column("plan_version", _WIDE, nullable=False),
        sa.Column("lift_asked_at", InstantType(), nullable=True),
        sa.Column("lift_asked_by", sa.String(200), nullable=True),
        sa.Column("ended_at", InstantType(), nullable=True),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("superseded_by", sa.String(64), nullable=True),
        sa.Column("lift_number", _WIDE, nullable=True),
        sa.Column("lift_token", sa.LargeBinary(), nullable=True),
        sa.Column("lift_plan_version", _WIDE, nullable=True),
        sa.PrimaryKeyConstraint("hush_id", name=op.f("pk_hushes")),
        sa.UniqueConstraint("unit_id", "number", name=op.f("uq_hushes_unit_id_number")),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_hushes_unit_id_units")
        ),
    )
    op.create_index(op.f("ix_hushes_ended_at"), "hushes", ["ended_at"])
    lasting = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_hushes_open",
        "hushes",
        ["unit_id", "mode"],
        unique=True,
        sqlite_where=lasting,
        postgresql_where=lasting,
    )
    op.create_table(
        "hush_deliveries",
        sa.Column("delivery_id", _WIDE, nullable=False),
        sa.Column("hush_id", sa.String(64), nullable=False),
        sa.Column("cluster_id", sa.String(64), nullable=False),
        sa.Column("node_id", sa.String(64), nullable=True),
        sa.Column("silent_at", InstantType(), nullable=True),
        sa.Column("lifted_at", InstantType(), nullable=True),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", InstantType(), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_hush_deliveries")),
        sa.UniqueConstraint(
            "hush_id", "cluster_id", name=op.f("uq_hush_deliveries_hush_id_cluster_id")
        ),
        sa.ForeignKeyConstraint(
            ["hush_id"], ["hushes.hush_id"], name=op.f("fk_hush_deliveries_hush_id_hushes")
        ),
        sa.ForeignKeyConstraint(
            ["cluster_id"],
            ["clusters.cluster_id"],
            name=op.f("fk_hush_deliveries_cluster_id_clusters"),
        ),
    )
    for column in ("cluster_id", "next_attempt_at"):
        name = op.f(f"ix_hush_deliveries_{column}")
        op.create_index(name, "hush_deliveries", [column])


def downgrade() -> None:
    op.drop_table("hush_deliveries")
    op.drop_table("hushes")


_WIDE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
