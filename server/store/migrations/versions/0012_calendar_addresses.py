"""Secret addresses of calendars."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_addresses",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("secret_digest", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_calendar_addresses_user_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_calendar_addresses_unit_id_units")
        ),
        sa.PrimaryKeyConstraint("user_id", "unit_id", name=op.f("pk_calendar_addresses")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_calendar_addresses_secret_digest")),
    )


def downgrade() -> None:
    op.drop_table("calendar_addresses")
