"""How much later a cluster sounds, and how far its horns reach."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("clusters") as clusters:
        clusters.add_column(sa.Column("delay_ms", sa.Integer(), nullable=False, server_default="0"))
        clusters.add_column(sa.Column("reach_m", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("clusters") as clusters:
        clusters.drop_column("reach_m")
        clusters.drop_column("delay_ms")
