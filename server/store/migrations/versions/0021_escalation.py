"""When clusters count as not answering, and which did."""

import sqlalchemy as sa
from alembic import op

from server.store.types import InstantType

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "escalation_rules",
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("bulletin_class", sa.String(32), nullable=False),
        sa.Column("answer_s", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Integer(), nullable=False),
        sa.Column("changed_at", InstantType(), nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "bulletin_class", name=op.f("pk_escalation_rules")),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_escalation_rules_unit_id_units")
        ),
    )
    op.create_table(
        "unanswered",
        sa.Column("broadcast_id", sa.String(64), nullable=False),
        sa.Column("cluster_id", sa.String(64), nullable=False),
        sa.Column("why", sa.String(32), nullable=False),
        sa.Column("since", InstantType(), nullable=False),
        sa.Column("answered_at", InstantType(), nullable=True),
        sa.PrimaryKeyConstraint("broadcast_id", "cluster_id", name=op.f("pk_unanswered")),
        sa.ForeignKeyConstraint(
            ["broadcast_id"],
            ["broadcasts.broadcast_id"],
            name=op.f("fk_unanswered_broadcast_id_broadcasts"),
        ),
        sa.ForeignKeyConstraint(
            ["cluster_id"], ["clusters.cluster_id"], name=op.f("fk_unanswered_cluster_id_clusters")
        ),
    )


def downgrade() -> None:
    op.drop_table("unanswered")
    op.drop_table("escalation_rules")
