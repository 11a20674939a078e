"""Texts that were spoken, so that the same words are not synthesised a second time."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "speeches",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("engine", sa.String(200), nullable=False),
        sa.Column("language", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_speeches")),
        sa.ForeignKeyConstraint(
            ["digest"], ["assets.digest"], name=op.f("fk_speeches_digest_assets")
        ),
    )
    op.create_index(op.f("ix_speeches_digest"), "speeches", ["digest"])


def downgrade() -> None:
    op.drop_table("speeches")
