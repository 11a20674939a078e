"""Whom to tell of clusters that do not answer, and what they were told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.store.types import InstantType

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("escalation_rules") as rules:
        rules.add_column(sa.Column("steps", _JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("escalation_rules") as rules:
        rules.alter_column("steps", server_default=None)
    op.create_table(
        "escalations",
        sa.Column("broadcast_id", sa.String(64), nullable=False),
        sa.Column("after_s", sa.Integer(), nullable=False),
        sa.Column("at", InstantType(), nullable=False),
        sa.Column("silent", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", "after_s", name=op.f("pk_escalations")),
        sa.ForeignKeyConstraint(
            ["broadcast_id"],
            ["broadcasts.broadcast_id"],
            name=op.f("fk_escalations_broadcast_id_broadcasts"),
        ),
    )
    op.create_table(
        "contacts",
        sa.Column("contact_id", sa.String(64), nullable=False),
        sa.Column("unit_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("phone", sa.String(32), nullable=False),
        sa.Column("language", sa.String(32), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("gone_at", InstantType(), nullable=True),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contacts")),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_contacts_unit_id_units")
        ),
    )
    op.create_index(op.f("ix_contacts_unit_id"), "contacts", ["unit_id"])
    op.create_table(
        "alert_channels",
        sa.Column("channel_id", sa.String(64), nullable=False),
        sa.Column("contact_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("sealed_url", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.Column("gone_at", InstantType(), nullable=True),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_alert_channels")),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contacts.contact_id"],
            name=op.f("fk_alert_channels_contact_id_contacts"),
        ),
    )
    op.create_index(op.f("ix_alert_channels_contact_id"), "alert_channels", ["contact_id"])
    op.create_table(
        "alerts",
        sa.Column("alert_id", _SERIAL, nullable=False),
        sa.Column("broadcast_id", sa.String(64), nullable=True),
        sa.Column("after_s", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("contact_id", sa.String(64), nullable=False),
        sa.Column("channel_id", sa.String(64), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", InstantType(), nullable=True),
        sa.Column("results", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alerts")),
        sa.UniqueConstraint(
            "broadcast_id", "after_s", "target", name=op.f("uq_alerts_broadcast_id_after_s_target")
        ),
        sa.ForeignKeyConstraint(
            ["broadcast_id"],
            ["broadcasts.broadcast_id"],
            name=op.f("fk_alerts_broadcast_id_broadcasts"),
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.contact_id"], name=op.f("fk_alerts_contact_id_contacts")
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["alert_channels.channel_id"],
            name=op.f("fk_alerts_channel_id_alert_channels"),
        ),
    )
    op.create_index(op.f("ix_alerts_target"), "alerts", ["target"])
    op.create_index(op.f("ix_alerts_next_try_at"), "alerts", ["next_try_at"])


def downgrade() -> None:
    op.drop_table("alerts")
    op.drop_table("alert_channels")
    op.drop_table("contacts")
    op.drop_table("escalations")
    with op.batch_alter_table("escalation_rules") as rules:
        rules.drop_column("steps")
