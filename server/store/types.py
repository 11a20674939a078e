"""Named kinds of columns; the only door for instants."""

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, LargeBinary, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator
from typing_extensions import override


class NaiveInstantError(ValueError):
    """A datetime without a zone was to be stored."""


class InstantType(TypeDecorator[datetime]):
    """An aware instant: kept in UTC, read back in UTC, on both engines.

    SQLite has no zone in its columns, so the zone is cut off after converting and put back on
    reading; PostgreSQL keeps it itself.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveInstantError(value)
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")

Id = Annotated[str, mapped_column(String(64))]
ClaimKey = Annotated[str, mapped_column(String(96))]
Name = Annotated[str, mapped_column(String(200))]
LongText = Annotated[str, mapped_column(Text)]
Instant = Annotated[datetime, mapped_column(InstantType())]
Digest = Annotated[str, mapped_column(String(64))]
Word = Annotated[str, mapped_column(String(32))]
Bytes = Annotated[bytes, mapped_column(LargeBinary)]
Serial = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
]
"""A growing number; SQLite counts up only in its own INTEGER."""
Wide = Annotated[int, mapped_column(BigInteger().with_variant(Integer, "sqlite"))]
"""A whole number as large as the wire carries."""
WordList = Annotated[list[str], mapped_column(Json)]
"""A short list of words or ids."""
Document = Annotated[dict[str, Any], mapped_column(Json)]
