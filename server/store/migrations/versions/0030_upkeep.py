"""Orders to the one node of a cluster, and what it has answered."""

import sqlalchemy as sa
from alembic import op

from server.store.types import InstantType, Json

revision = "0030"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "upkeep_orders",
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("cluster_id", sa.String(64), nullable=False),
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("node_id", sa.String(64), nullable=False),
        sa.Column("deed", sa.String(32), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", InstantType(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", InstantType(), nullable=True),
        sa.Column("received_at", InstantType(), nullable=True),
        sa.Column("started_at", InstantType(), nullable=True),
        sa.Column("ended_at", InstantType(), nullable=True),
        sa.Column("end", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_upkeep_orders")),
        sa.ForeignKeyConstraint(
            ["cluster_id"],
            ["clusters.cluster_id"],
            name=op.f("fk_upkeep_orders_cluster_id_clusters"),
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_upkeep_orders_unit_id_units")
        ),
        sa.ForeignKeyConstraint(
            ["node_id"], ["nodes.node_id"], name=op.f("fk_upkeep_orders_node_id_nodes")
        ),
    )
    op.create_index(
        op.f("ix_upkeep_orders_cluster_id_created_at"),
        "upkeep_orders",
        ["cluster_id", "created_at"],
    )
    op.create_index(op.f("ix_upkeep_orders_next_attempt_at"), "upkeep_orders", ["next_attempt_at"])


def downgrade() -> None:
    op.drop_table("upkeep_orders")
