"""Nodes say what is amiss in their boxes."""

import sqlalchemy as sa
from alembic import op

from server.store.types import InstantType, Json

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("nodes") as nodes:
        nodes.add_column(sa.Column("alarms", Json, nullable=False, server_default="[]"))
        nodes.add_column(sa.Column("alarms_at", InstantType(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("nodes") as nodes:
        nodes.drop_column("alarms_at")
        nodes.drop_column("alarms")
