"""Broadcasts in which somebody speaks: no file at first, a recording afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("broadcasts") as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(32), nullable=False, server_default="announcement")
        )
        batch_op.alter_column("asset_digest", existing_type=sa.String(64), nullable=True)


def downgrade() -> None:
    # What was never recorded cannot be told in the old shape.
    unrecorded = sa.text("SELECT broadcast_id FROM broadcasts WHERE asset_digest IS NULL")
    for (broadcast_id,) in op.get_bind().execute(unrecorded).all():
        for table in ("deliveries", "broadcasts"):
            gone = sa.table(table, sa.column("broadcast_id", sa.String()))
            op.execute(gone.delete().where(gone.c.broadcast_id == broadcast_id))
    with op.batch_alter_table("broadcasts") as batch_op:
        batch_op.alter_column("asset_digest", existing_type=sa.String(64), nullable=False)
        batch_op.drop_column("kind")
