"""Indexes for what the scheduler asks every few seconds: what is open, and what has changed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_WATCHED = ("occurrences", "broadcasts")


def upgrade() -> None:
    still_open = sa.text("closed_at IS NULL")
    for table in _WATCHED:
        op.create_index(
            f"ix_{table}_open",
            table,
            ["end"],
            sqlite_where=still_open,
            postgresql_where=still_open,
        )
    in_service = sa.text("decommissioned_at IS NULL")
    op.create_index(
        "ix_nodes_presence",
        "nodes",
        ["presence", "presence_at", "config_version", "held_config_version"],
        sqlite_where=in_service,
        postgresql_where=in_service,
    )
    op.create_index("ix_slots_changes", "slots", ["unit_id", "withdrawn_at", "version"])
    op.drop_index("ix_slots_unit_id", table_name="slots")


def downgrade() -> None:
    op.create_index("ix_slots_unit_id", "slots", ["unit_id"])
    op.drop_index("ix_slots_changes", table_name="slots")
    op.drop_index("ix_nodes_presence", table_name="nodes")
    for table in _WATCHED:
        op.drop_index(f"ix_{table}_open", table_name=table)
