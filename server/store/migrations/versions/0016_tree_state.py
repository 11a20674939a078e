"""The database itself says when the tree is another: trees read once can be kept in memory."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TABLES = ("units", "unit_edges", "cluster_units", "groups", "group_members", "clusters")
_COLUMNS = {"clusters": " OF cluster_id, languages"}
"""Of other tables every column matters, or nearly."""
_ANOTHER = "UPDATE tree_state SET token = lower(hex(randomblob(16)))"


def upgrade() -> None:
    state = op.create_table(
        "tree_state",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_tree_state")),
        sa.CheckConstraint("one = 1", name=op.f("ck_tree_state_one_row")),
    )
    op.bulk_insert(state, [{"one": 1, "token": secrets.token_hex(16)}])
    if op.get_bind().dialect.name == "postgresql":
        _watch_on_postgresql()
    else:
        _watch_on_sqlite()


def _watch_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION tree_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "UPDATE tree_state SET token = replace(gen_random_uuid()::text, '-', ''); "
        "RETURN NULL; END $$"
    )
    for table in _TABLES:
        update = f"UPDATE{_COLUMNS.get(table, '')}"
        op.execute(
            f"CREATE TRIGGER tree_changed AFTER INSERT OR {update} OR DELETE OR TRUNCATE "
            f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION tree_changed()"
        )


def _watch_on_sqlite() -> None:
    for table in _TABLES:
        for change in ("INSERT", f"UPDATE{_COLUMNS.get(table, '')}", "DELETE"):
            op.execute(
                f"CREATE TRIGGER tree_changed_{table}_{change.split()[0].lower()} "
                f"AFTER {change} ON {table} BEGIN {_ANOTHER}; END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _TABLES:
            op.execute(f"DROP TRIGGER tree_changed ON {table}")
        op.execute("DROP FUNCTION tree_changed()")
    else:
        for table in _TABLES:
            for change in ("insert", "update", "delete"):
                op.execute(f"DROP TRIGGER tree_changed_{table}_{change}")
    op.drop_table("tree_state")
