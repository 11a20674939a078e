"""What the SIM of a cluster may use in a month, and what its nodes have used day by day."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


# Not in a batch: that makes the table anew on SQLite, and the triggers of the tree would be gone.


def upgrade() -> None:
    op.add_column("clusters", sa.Column("data_plan_mb", sa.Integer(), nullable=True))
    op.add_column(
        "clusters", sa.Column("data_plan_day", sa.Integer(), nullable=False, server_default="1")
    )
    op.add_column("nodes", sa.Column("data_mb", sa.Double(), nullable=False, server_default="0"))
    op.add_column("nodes", sa.Column("data_day", sa.Date(), nullable=True))
    op.create_table(
        "data_marks",
        sa.Column("node_id", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("data_mb", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", "day", name=op.f("pk_data_marks")),
        sa.ForeignKeyConstraint(
            ["node_id"], ["nodes.node_id"], name=op.f("fk_data_marks_node_id_nodes")
        ),
    )


def downgrade() -> None:
    op.drop_table("data_marks")
    op.drop_column("nodes", "data_day")
    op.drop_column("nodes", "data_mb")
    op.drop_column("clusters", "data_plan_day")
    op.drop_column("clusters", "data_plan_mb")
