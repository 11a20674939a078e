"""Slots by the month, by the moon, by RFC 5545, and with or without public holidays."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Defaults in the database: a server of the version before may still add slots.
    op.add_column("slots", sa.Column("pattern", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "slots", sa.Column("holidays", sa.String(32), nullable=False, server_default="any")
    )


def downgrade() -> None:
    # What a server of the version before cannot read must not reach its plans.
    op.execute(
        "UPDATE slots SET withdrawn_at = created_at WHERE withdrawn_at IS NULL AND "
        "(recurrence IN ('monthly', 'lunar', 'rrule') OR holidays <> 'any')"
    )
    with op.batch_alter_table("slots") as batch_op:
        batch_op.drop_column("holidays")
        batch_op.drop_column("pattern")
