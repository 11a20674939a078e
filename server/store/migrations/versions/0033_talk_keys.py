"""When the talk key of a cluster's box may be used."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


# Not in a batch: that makes the table anew on SQLite, and the triggers of the tree would be gone.


def upgrade() -> None:
    op.add_column("clusters", sa.Column("talk_away_min", sa.Integer(), nullable=True))
    op.add_column(
        "clusters", sa.Column("talk_most_s", sa.Integer(), nullable=False, server_default="120")
    )


def downgrade() -> None:
    op.drop_column("clusters", "talk_most_s")
    op.drop_column("clusters", "talk_away_min")
