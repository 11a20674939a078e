"""Which of several alike cases are tried every day, and which among the slow ones."""

from collections.abc import Iterable

import pytest


def first_each_day(cases: Iterable[str], every_day: int = 1) -> list[object]:
    """Keep the first cases as they are, and mark the others slow."""
    return [
        case if number < every_day else pytest.param(case, marks=pytest.mark.slow)
        for number, case in enumerate(cases)
    ]
