"""What nodes say is wired to their boards."""

import sqlalchemy as sa
from alembic import op

from server.store.types import Json

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


# Not in a batch: that makes the table anew on SQLite, and the triggers of the tree would be gone.


def upgrade() -> None:
    op.add_column("nodes", sa.Column("equipment", Json, nullable=True))


def downgrade() -> None:
    op.drop_column("nodes", "equipment")
