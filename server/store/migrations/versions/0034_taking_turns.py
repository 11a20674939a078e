"""Whose loudspeakers take turns, and in which they were to sound what they have sounded."""

import sqlalchemy as sa
from alembic import op

from server.store.types import Json

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


# Not in a batch: that makes the table anew on SQLite, and the triggers of the tree would be gone.


def upgrade() -> None:
    op.add_column(
        "units", sa.Column("takes_turns", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("occurrences", sa.Column("turns", Json, nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("occurrences", "turns")
    op.drop_column("units", "takes_turns")
