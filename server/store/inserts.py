"""Insert many rows at once, passing over those that somebody else was quicker with."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.store.base import Base


def insert_new(db: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert those of ``rows`` that break no unique constraint; the others are there already."""
    if rows:
        db.execute(upsert(db, table).on_conflict_do_nothing(), rows)


def upsert(db: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Begin an insert that says what becomes of rows that are there already."""
    is_postgresql = db.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if is_postgresql else sqlite.insert(table)
