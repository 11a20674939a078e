"""Alembic's door: runs on the connection it was handed, and on nothing else."""

from alembic import context

from server.store.base import Base
from server.store.models import UserRow

assert UserRow.metadata is Base.metadata  # noqa: S101 - importing the models makes it whole

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
