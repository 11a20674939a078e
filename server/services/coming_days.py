"""On which days slots come, for thousands of rows at once: those that are alike share the work."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from server.domain.recurrence import Recurrence
from server.services.slot_values import rule_of_columns

_FROM_FIRST = frozenset({Recurrence.ONCE, Recurrence.RRULE})


class ComingDays:
    """The days from one to another, both included, on which slots come."""

    def __init__(self, first: date, last: date) -> None:
        self._first, self._last = first, last
        self._known: dict[tuple[object, ...], tuple[date, ...]] = {}

    def of(self, times: Sequence[Any]) -> tuple[date, ...]:
        """List them for the slot with these columns, which are ``TIMES``."""
        recurrence, _, _, first_day, last_day, *rest = times
        alike = (
            recurrence,
            *rest,
            # Where nothing counts from the first day, the rule may as well have begun here.
            first_day if recurrence in _FROM_FIRST else max(first_day, self._first),
            min(last_day or self._last, self._last),
        )
        days = self._known.get(alike)
        if days is None:
            rule = rule_of_columns(tuple(times))
            days = self._known[alike] = tuple(rule.days(self._first, self._last))
        return days
