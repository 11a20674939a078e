"""When each version of a plan was published, and what an occurrence was called on its day."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_versions",
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_plan_versions_unit_id_units")
        ),
        sa.PrimaryKeyConstraint("unit_id", "version", name=op.f("pk_plan_versions")),
    )
    op.create_index(op.f("ix_plan_versions_published_at"), "plan_versions", ["published_at"])
    op.execute(
        "INSERT INTO plan_versions (unit_id, version, published_at)"
        " SELECT unit_id, version, published_at FROM plans"
    )
    with op.batch_alter_table("occurrences") as batch_op:
        batch_op.add_column(
            sa.Column("unit_id", sa.String(length=64), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("title", sa.String(length=200), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("bulletin_class", sa.String(length=32), server_default="", nullable=False)
        )
    for column in ("unit_id", "title", "bulletin_class"):
        op.execute(
            f"UPDATE occurrences SET {column} ="  # noqa: S608 - names of our own columns
            f" (SELECT slots.{column} FROM slots WHERE slots.slot_id = occurrences.slot_id)"
        )
    # Counting a day reads this index alone, not the rows with all their segments.
    op.drop_index("ix_as_run_claim_id", "as_run")
    op.create_index("ix_as_run_told", "as_run", ["claim_id", "outcome", "reason", "cluster_id"])


def downgrade() -> None:
    op.drop_index("ix_as_run_told", "as_run")
    op.create_index("ix_as_run_claim_id", "as_run", ["claim_id"])
    with op.batch_alter_table("occurrences") as batch_op:
        for column in ("bulletin_class", "title", "unit_id"):
            batch_op.drop_column(column)
    op.drop_table("plan_versions")
