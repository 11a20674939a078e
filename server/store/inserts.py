"""Write many rows at once: new ones, and changes of those that are there.

On PostgreSQL they travel as one parameter of one statement. With a statement for each, what watches
over a table is called as often, and changes one row of its own, all versions of which are looked
through until the transaction ends (``tree_changed``): 50,000 rows would take minutes.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Text, cast, func, insert, inspect, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TableValuedAlias

from server.store.base import Base

Values = Sequence[dict[str, Any]]
"""Rows that all name the same columns; what stands in them can be told in JSON, or is a time."""

_NOBODY_HOLDS_THEM = {"synchronize_session": False}


def insert_many(db: Session, table: type[Base], rows: Values) -> None:
    """Insert rows, none of which is there."""
    if not rows:
        return
    if _is_postgresql(db):
        told = select(_told(table, rows))
        db.execute(insert(table).from_select(list(rows[0]), told))
    else:
        db.execute(insert(table), rows)


def insert_new(db: Session, table: type[Base], rows: Values) -> None:
    """Insert those of ``rows`` that break no unique constraint; the others are there already."""
    if not rows:
        return
    new = upsert(db, table)
    if _is_postgresql(db):
        told = select(_told(table, rows))
        db.execute(new.from_select(list(rows[0]), told).on_conflict_do_nothing())
    else:
        db.execute(new.on_conflict_do_nothing(), rows)


def insert_told_apart(db: Session, table: type[Base], rows: Values) -> set[tuple[Any, ...]]:
    """Insert those of ``rows`` whose key is not there; tell their keys."""
    if not rows:
        return set()
    keys = list(table.__table__.primary_key)
    new = upsert(db, table)
    if _is_postgresql(db):
        told = new.from_select(list(rows[0]), select(_told(table, rows)))
        found = db.execute(told.on_conflict_do_nothing().returning(*keys))
    else:
        found = db.execute(new.on_conflict_do_nothing().returning(*keys), rows)
    return {tuple(key) for key in found}


def write_changes(db: Session) -> None:
    """Write what has been changed in rows that a session holds, and let go of these rows.

    The session's own way is a statement for each row. Whoever comes after this reads them anew; in
    a batch that is nobody.
    """
    changed: dict[tuple[type[Base], tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
    for row in list(db.dirty):
        table, same = type(row), inspect(row).unmodified
        keys = [column.name for column in table.__table__.primary_key]
        columns = [column.name for column in table.__table__.c]
        names = [name for name in columns if name in keys or name not in same]
        changed[table, tuple(names)].append({name: getattr(row, name) for name in names})
        db.expunge(row)
    for (table, _), rows in changed.items():
        change_many(db, table, rows)


def change_many(db: Session, table: type[Base], rows: Values) -> None:
    """Change rows that are there, each told by its key beside the columns that change."""
    if not rows:
        return
    if _is_postgresql(db):
        told = _told(table, rows)
        keys = {column.name: column for column in table.__table__.primary_key}
        changed = {name: told.c[name] for name in rows[0] if name not in keys}
        same = (column == told.c[name] for name, column in keys.items())
        wanted = update(table).where(*same).values(changed)
        db.execute(wanted, execution_options=_NOBODY_HOLDS_THEM)
    else:
        db.execute(update(table), rows)


def upsert(db: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Begin an insert that says what becomes of rows that are there already."""
    return postgresql.insert(table) if _is_postgresql(db) else sqlite.insert(table)


def _is_postgresql(db: Session) -> bool:
    return db.get_bind().dialect.name == "postgresql"


def _told(table: type[Base], rows: Values) -> TableValuedAlias:
    """Lay rows out as a table with the columns that they name."""
    columns = table.__table__.c
    text = cast(literal(json.dumps(rows, default=_written), Text), postgresql.JSONB)
    laid_out = func.jsonb_to_recordset(text).table_valued(*(columns[name] for name in rows[0]))
    return laid_out.render_derived(with_types=True)


def _written(at: date) -> str:
    return at.isoformat()
