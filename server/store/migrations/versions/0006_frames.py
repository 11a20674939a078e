"""Frames given to a level, with limits of length and volume, and withdrawn ones kept."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("frames") as batch_op:
        batch_op.add_column(sa.Column("owner_rank", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("session_limit_s", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("volume_ceiling_db", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # A database of that shape knows neither: what was withdrawn must not come back.
    op.execute("DELETE FROM frames WHERE withdrawn_at IS NOT NULL OR owner_rank IS NOT NULL")
    with op.batch_alter_table("frames") as batch_op:
        for column in ("withdrawn_at", "volume_ceiling_db", "session_limit_s", "owner_rank"):
            batch_op.drop_column(column)
