"""The table of the rule as it was typed: one row for each line, empty ones left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from server.domain.assent import Line
from server.domain.errors import Finding

EMPTY_ROWS = 2
_LONGEST_NUMBER = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One row; a level that is empty leaves it out."""

    level: str = ""
    start_hour: str = "0"
    end_hour: str = "0"
    over_clusters: str = "0"
    persons: str = "2"
    factor: bool = False

    @classmethod
    def of(cls, line: Line) -> "Row":
        """Show a line."""
        return cls(
            str(line.level),
            str(line.start_hour),
            str(line.end_hour),
            str(line.over_clusters),
            str(line.persons),
            factor=line.factor,
        )


def rows_of(lines: Sequence[Line]) -> list[Row]:
    """Show lines, and empty rows for more."""
    return [*map(Row.of, lines), *[Row()] * EMPTY_ROWS]


def sent_rows(form: "MultiDict[str, str]") -> list[Row]:
    """Read the table; what is shorter than the first column is left out."""
    columns = ("level", "start_hour", "end_hour", "over_clusters", "persons")
    told = zip(*(form.getlist(name) for name in columns), strict=False)
    factors = set(form.getlist("factor"))
    return [
        Row(level, start, end, over, persons, str(number) in factors)
        for number, (level, start, end, over, persons) in enumerate(told)
    ]


def parsed(rows: Sequence[Row]) -> tuple[list[Line], list[Finding]]:
    """Turn rows into lines, or say which are no numbers."""
    lines, findings = [], []
    for row in rows:
        if not row.level:
            continue
        numbers = [row.level, row.start_hour, row.end_hour, row.over_clusters, row.persons]
        if not all(map(_is_number, numbers)):
            findings.append(Finding("bad-rule-number"))
            continue
        level, start, end, over, persons = map(int, numbers)
        lines.append(Line(level, start, end, over, persons, factor=row.factor))
    return lines, findings


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
