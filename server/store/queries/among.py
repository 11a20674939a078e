"""Asking for rows by a list of ids, however long: it travels as one parameter.

``IN`` with a mark for each id is another statement for each length of the list: it is written down
and planned anew each time, and SQLite takes no more than 32,766 of them.
"""

import json
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine
from typing_extensions import override


class _Listed(TypeDecorator[Collection[str]]):
    """Ids as one parameter: an array on PostgreSQL, a text in JSON on SQLite."""

    impl = Text
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Text()) if dialect.name == "postgresql" else Text())

    @override
    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        ids = list(value or ())
        return ids if dialect.name == "postgresql" else json.dumps(ids)


class _Among(FunctionElement[Any]):
    """A column, and the ids of which it is to be one.

    It is not said to be a boolean: on SQLite that would be compared with 1, past every index.
    """

    inherit_cache = True


@compiles(_Among, "postgresql")
def _in_array(element: _Among, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - the library's own
    column, ids = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} = ANY ({ids})"


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - the library's own
    column, ids = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - marks of parameters


def among(column: Any, ids: Iterable[str] | str) -> ColumnElement[bool]:  # noqa: ANN401 - a column of any kind of model
    """Ask that a column is one of some ids; or of those of a parameter, by its name."""
    if isinstance(ids, str):
        return _Among(column, bindparam(ids, type_=_Listed()))
    return _Among(column, bindparam(None, list(ids), type_=_Listed(), unique=True))
