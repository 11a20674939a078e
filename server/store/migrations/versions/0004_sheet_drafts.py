"""Sheets of clusters that wait for their sender's word."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sheet_drafts",
        sa.Column("draft_id", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_sheet_drafts")),
    )
    with op.batch_alter_table("sheet_drafts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sheet_drafts_created_at"), ["created_at"], unique=False
        )


def downgrade() -> None:
    op.drop_table("sheet_drafts")
