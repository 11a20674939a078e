"""Announcements that follow others, as an all-clear or a correction."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("broadcasts") as table:
        table.add_column(sa.Column("follows", sa.String(64), nullable=True))
        table.add_column(sa.Column("relation", sa.String(32), nullable=False, server_default=""))
        table.create_foreign_key(
            op.f("fk_broadcasts_follows_broadcasts"), "broadcasts", ["follows"], ["broadcast_id"]
        )
        table.alter_column("relation", server_default=None)
    op.create_index(op.f("ix_broadcasts_follows"), "broadcasts", ["follows"])


def downgrade() -> None:
    op.drop_index(op.f("ix_broadcasts_follows"), "broadcasts")
    with op.batch_alter_table("broadcasts") as table:
        table.drop_constraint(op.f("fk_broadcasts_follows_broadcasts"), type_="foreignkey")
        table.drop_column("relation")
        table.drop_column("follows")
