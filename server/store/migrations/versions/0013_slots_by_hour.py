"""Slots are found by the hour at which they begin."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ON_AIR = "withdrawn_at IS NULL"


def upgrade() -> None:
    _index("ix_slots_by_hour", ["bulletin_class", "local_start"], _ON_AIR)
    _index("ix_slots_long", ["bulletin_class"], f"{_ON_AIR} AND duration_s > 3600")


def _index(name: str, columns: list[str], of_which: str) -> None:
    condition = sa.text(of_which)
    op.create_index(name, "slots", columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    op.drop_index("ix_slots_long", table_name="slots")
    op.drop_index("ix_slots_by_hour", table_name="slots")
