"""Insert many rows at once, passing over those that somebody else was quicker with."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.store.base import Base


def insert_new(db: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert those of ``rows`` that break no unique constraint; the others are there already."""
    if not rows:
        return
    if db.get_bind().dialect.name == "postgresql":
        db.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)
    else:
        db.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)
