"""Contacts have accounts, and are told what waits for them to be confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("contacts") as contacts:
        contacts.add_column(sa.Column("login", sa.String(64), nullable=True))
    with op.batch_alter_table("alerts") as alerts:
        alerts.add_column(sa.Column("waiting_id", sa.String(64), nullable=True))
        alerts.create_foreign_key(
            op.f("fk_alerts_waiting_id_waiting_broadcasts"),
            "waiting_broadcasts",
            ["waiting_id"],
            ["broadcast_id"],
        )
        alerts.create_unique_constraint(
            op.f("uq_alerts_waiting_id_target"), ["waiting_id", "target"]
        )


def downgrade() -> None:
    op.execute("DELETE FROM alerts WHERE waiting_id IS NOT NULL")
    with op.batch_alter_table("alerts") as alerts:
        alerts.drop_constraint(op.f("uq_alerts_waiting_id_target"), type_="unique")
        alerts.drop_constraint(op.f("fk_alerts_waiting_id_waiting_broadcasts"), type_="foreignkey")
        alerts.drop_column("waiting_id")
    with op.batch_alter_table("contacts") as contacts:
        contacts.drop_column("login")
