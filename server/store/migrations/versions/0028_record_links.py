"""The records of a node hang together in a chain."""

import sqlalchemy as sa
from alembic import op

from server.store.types import InstantType

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_WIDE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "record_links",
        sa.Column("link_id", _WIDE, nullable=False),
        sa.Column("node_id", sa.String(64), nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
        sa.Column("number", _WIDE, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("report_id", sa.String(64), nullable=False),
        sa.Column("claim_id", sa.String(96), nullable=False),
        sa.Column("cluster_id", sa.String(64), nullable=False),
        sa.Column("is_broken", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("received_at", InstantType(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cluster_id"],
            ["clusters.cluster_id"],
            name=op.f("fk_record_links_cluster_id_clusters"),
        ),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_record_links")),
        sa.UniqueConstraint(
            "node_id", "chain", "number", name=op.f("uq_record_links_node_id_chain_number")
        ),
    )
    op.create_index("ix_record_links_claim", "record_links", ["cluster_id", "claim_id"])


def downgrade() -> None:
    op.drop_table("record_links")
