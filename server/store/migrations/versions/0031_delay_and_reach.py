"""How much later a cluster sounds, and how far its horns reach."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


# Not in a batch: that makes the table anew on SQLite, and the triggers of the tree would be gone.


def upgrade() -> None:
    op.add_column(
        "clusters", sa.Column("delay_ms", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("clusters", sa.Column("reach_m", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("clusters", "reach_m")
    op.drop_column("clusters", "delay_ms")
