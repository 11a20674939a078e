"""Slots with lists, relays and live parts, start modes, days left out, groups and languages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def _added() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("content_kind", sa.String(32), nullable=False, server_default="files"),
        sa.Column("relay_url", sa.Text(), nullable=False, server_default=""),
        sa.Column("excluded_days", _JSON, nullable=False, server_default="[]"),
        sa.Column("languages", _JSON, nullable=False, server_default="[]"),
        sa.Column("overrides", _JSON, nullable=False, server_default="[]"),
        sa.Column("start_mode", sa.String(32), nullable=False, server_default="cut"),
        sa.Column("wait_s", sa.Double(), nullable=False, server_default="0"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
    )


def upgrade() -> None:
    op.create_table(
        "slot_items",
        sa.Column("slot_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asset_digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("slot_id", "position", name=op.f("pk_slot_items")),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["slots.slot_id"], name=op.f("fk_slot_items_slot_id_slots")
        ),
        sa.ForeignKeyConstraint(
            ["asset_digest"], ["assets.digest"], name=op.f("fk_slot_items_asset_digest_assets")
        ),
    )
    op.create_index(op.f("ix_slot_items_asset_digest"), "slot_items", ["asset_digest"])
    op.execute(
        "INSERT INTO slot_items (slot_id, position, asset_digest) "
        "SELECT slot_id, 0, asset_digest FROM slots"
    )
    with op.batch_alter_table("slots") as batch_op:
        for column in _added():
            batch_op.add_column(column)
        batch_op.drop_constraint(op.f("fk_slots_asset_digest_assets"), type_="foreignkey")
        batch_op.drop_column("asset_digest")
        batch_op.create_check_constraint(
            op.f("ck_slots_relay"), "(content_kind = 'relay') = (relay_url <> '')"
        )
    op.add_column("clusters", sa.Column("languages", _JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    # What a server of the version before cannot read must not reach its plans; what it cannot
    # even hold goes.
    op.execute(
        "UPDATE slots SET withdrawn_at = created_at WHERE withdrawn_at IS NULL AND "
        "(content_kind <> 'files' OR excluded_days <> '[]' OR languages <> '[]' OR slot_id IN "
        "(SELECT slot_id FROM slot_targets WHERE kind = 'group' UNION "
        "SELECT slot_id FROM slot_items WHERE position > 0))"
    )
    op.execute("DELETE FROM slot_targets WHERE kind = 'group'")
    op.execute("DELETE FROM slot_targets WHERE slot_id NOT IN (SELECT slot_id FROM slot_items)")
    op.execute("DELETE FROM occurrences WHERE slot_id NOT IN (SELECT slot_id FROM slot_items)")
    op.execute("DELETE FROM slots WHERE slot_id NOT IN (SELECT slot_id FROM slot_items)")
    op.add_column("slots", sa.Column("asset_digest", sa.String(64), nullable=True))
    op.execute(
        "UPDATE slots SET asset_digest = (SELECT asset_digest FROM slot_items "
        "WHERE slot_items.slot_id = slots.slot_id AND position = 0)"
    )
    op.drop_table("slot_items")
    with op.batch_alter_table("slots") as batch_op:
        batch_op.drop_constraint(op.f("ck_slots_relay"), type_="check")
        for column in _added():
            batch_op.drop_column(column.name)
        batch_op.alter_column("asset_digest", existing_type=sa.String(64), nullable=False)
        batch_op.create_foreign_key(
            op.f("fk_slots_asset_digest_assets"), "assets", ["asset_digest"], ["digest"]
        )
    with op.batch_alter_table("clusters") as batch_op:
        batch_op.drop_column("languages")
