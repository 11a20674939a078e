"""Versions and counts as wide as on the wire, and what each published plan rests on."""

import sqlalchemy as sa
from alembic import op

WIDE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite's own INTEGER is as wide."""

WIDENED = (
    ("plans", "version"),
    ("nodes", "config_version"),
    ("nodes", "held_config_version"),
    ("refusals", "count"),
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plans", sa.Column("source_digest", sa.String(length=64), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        for table, column in WIDENED:
            op.alter_column(table, column, type_=WIDE, existing_type=sa.Integer())


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column in WIDENED:
            op.alter_column(table, column, type_=sa.Integer(), existing_type=WIDE)
    with op.batch_alter_table("plans") as batch_op:
        batch_op.drop_column("source_digest")
