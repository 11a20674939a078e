"""Bulletins, the communes' answers, and the ranks that communes give to priority claims."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "bulletins",
        sa.Column("bulletin_id", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("bulletin_class", sa.String(32), nullable=False),
        sa.Column("asset_digest", sa.String(64), nullable=True),
        sa.Column("addressed", _DOCUMENT, nullable=False),
        sa.Column("deadline", _INSTANT, nullable=True),
        sa.Column("decision_number", sa.String(200), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("approved_by", sa.String(200), nullable=True),
        sa.Column("sent_at", _INSTANT, nullable=True),
        sa.Column("closed_at", _INSTANT, nullable=True),
        sa.Column("broadcast_id", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_digest"], ["assets.digest"], name=op.f("fk_bulletins_asset_digest_assets")
        ),
        sa.ForeignKeyConstraint(
            ["broadcast_id"],
            ["broadcasts.broadcast_id"],
            name=op.f("fk_bulletins_broadcast_id_broadcasts"),
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_bulletins_unit_id_units")
        ),
        sa.PrimaryKeyConstraint("bulletin_id", name=op.f("pk_bulletins")),
        sa.UniqueConstraint("request_id", name=op.f("uq_bulletins_request_id")),
    )
    for column in ("unit_id", "state", "created_at"):
        op.create_index(op.f(f"ix_bulletins_{column}"), "bulletins", [column])
    op.create_table(
        "bulletin_acts",
        sa.Column("act_id", _SERIAL, nullable=False),
        sa.Column("bulletin_id", sa.String(64), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.String(64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bulletin_id"],
            ["bulletins.bulletin_id"],
            name=op.f("fk_bulletin_acts_bulletin_id_bulletins"),
        ),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_bulletin_acts")),
    )
    op.create_index(op.f("ix_bulletin_acts_bulletin_id"), "bulletin_acts", ["bulletin_id"])
    op.create_table(
        "bulletin_copies",
        sa.Column("bulletin_id", sa.String(64), nullable=False),
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("answer", sa.String(32), nullable=False),
        sa.Column("slot_id", sa.String(64), nullable=True),
        sa.Column("until", _INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answered_at", _INSTANT, nullable=True),
        sa.Column("answered_by", sa.String(200), nullable=True),
        sa.Column("clusters", sa.Integer(), nullable=False),
        sa.Column("sounded", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bulletin_id"],
            ["bulletins.bulletin_id"],
            name=op.f("fk_bulletin_copies_bulletin_id_bulletins"),
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_bulletin_copies_unit_id_units")
        ),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["slots.slot_id"], name=op.f("fk_bulletin_copies_slot_id_slots")
        ),
        sa.PrimaryKeyConstraint("bulletin_id", "unit_id", name=op.f("pk_bulletin_copies")),
    )
    for column in ("unit_id", "slot_id"):
        op.create_index(op.f(f"ix_bulletin_copies_{column}"), "bulletin_copies", [column])
    op.create_table(
        "claim_ranks",
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("claim_id", sa.String(96), nullable=False),
        sa.Column("rank", _SERIAL, nullable=False),
        sa.Column("ends", _INSTANT, nullable=False),
        sa.Column("given_at", _INSTANT, nullable=False),
        sa.Column("given_by", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_claim_ranks_unit_id_units")
        ),
        sa.PrimaryKeyConstraint("unit_id", "claim_id", name=op.f("pk_claim_ranks")),
    )
    op.create_index(op.f("ix_claim_ranks_ends"), "claim_ranks", ["ends"])


def downgrade() -> None:
    for table in ("claim_ranks", "bulletin_copies", "bulletin_acts", "bulletins"):
        op.drop_table(table)
