"""Announcements that wait for a second person, and the rule that asks for one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "assent_rules",
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("lines", document, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_assent_rules")),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_assent_rules_unit_id_units")
        ),
    )
    op.create_table(
        "waiting_broadcasts",
        sa.Column("broadcast_id", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("cover_id", sa.String(64), nullable=False),
        sa.Column("wanted", document, nullable=False),
        sa.Column("clusters", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(200), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(200), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", name=op.f("pk_waiting_broadcasts")),
        sa.UniqueConstraint("request_id", name=op.f("uq_waiting_broadcasts_request_id")),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_waiting_broadcasts_unit_id_units")
        ),
        sa.ForeignKeyConstraint(
            ["cover_id"], ["units.unit_id"], name=op.f("fk_waiting_broadcasts_cover_id_units")
        ),
    )
    op.create_index(
        "ix_waiting_broadcasts_open",
        "waiting_broadcasts",
        ["ends_at"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(op.f("ix_waiting_broadcasts_asked_at"), "waiting_broadcasts", ["asked_at"])
    op.add_column("broadcasts", sa.Column("confirmed_by", sa.String(200), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("broadcasts") as table:
        table.drop_column("confirmed_by")
    op.drop_table("waiting_broadcasts")
    op.drop_table("assent_rules")
