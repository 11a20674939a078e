"""Recordings of prepared warnings, and sounds that are made of several files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "warning_recordings",
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("language", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "code", "language", name=op.f("pk_warning_recordings")),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_warning_recordings_unit_id_units")
        ),
        sa.ForeignKeyConstraint(
            ["digest"], ["assets.digest"], name=op.f("fk_warning_recordings_digest_assets")
        ),
    )
    op.create_index(op.f("ix_warning_recordings_digest"), "warning_recordings", ["digest"])
    op.create_table(
        "compositions",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column(
            "parts",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_compositions")),
        sa.UniqueConstraint("key", name=op.f("uq_compositions_key")),
        sa.ForeignKeyConstraint(
            ["digest"], ["assets.digest"], name=op.f("fk_compositions_digest_assets")
        ),
    )


def downgrade() -> None:
    op.drop_table("compositions")
    op.drop_table("warning_recordings")
