"""From what people type to values; every failure is a finding, with the name of its field."""

import math
from collections.abc import Sequence
from datetime import date, datetime, time

from server.domain.recurrence import is_usable

_DAYS = ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y")
_TIMES = ("%H:%M", "%H:%M:%S", "%Hh%M", "%Hg%M")


def parsed_day(text: str) -> date | None:
    """Read a day as Vietnamese write it, or as programs do."""
    days = (found.date() for found in _tried(text, _DAYS))
    return next(filter(is_usable, days), None)


def parsed_time(text: str) -> time | None:
    """Read a time of day, with or without seconds."""
    return next((found.time() for found in _tried(text, _TIMES)), None)


def parsed_number(text: str) -> float | None:
    """Read a number, with a comma or a point before its decimals."""
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _tried(text: str, formats: Sequence[str]) -> list[datetime]:
    found = []
    for pattern in formats:
        try:
            found.append(datetime.strptime(text.strip(), pattern))  # noqa: DTZ007 - day or clock on the wall, no instant
        except ValueError:
            continue
    return found


def parsed_instant(text: str) -> datetime | None:
    """Read an instant as our own addresses carry it: ISO 8601 with an offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None and is_usable(found.date()) else None
