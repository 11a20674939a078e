"""Tables for spreadsheet programs: as CSV and as an XLSX workbook.

What people have typed is text in both and never a formula. Instants are shown on the wall.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import IO

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from server.domain.recurrence import LOCAL

Cell = str | int | float | date | time | datetime | timedelta | None

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_DATE, _TIME, _BOTH, _LENGTH = "dd/mm/yyyy", "hh:mm:ss", "dd/mm/yyyy hh:mm:ss", "[h]:mm:ss"
_LONGEST_NAME = 31
_NOT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


@dataclass(frozen=True, slots=True)
class Column:
    """What is above a column, and how many signs wide it is."""

    heading: str
    width: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a heading; rows are read once."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]


def write_csv(tables: Sequence[Table], file: IO[bytes]) -> None:
    """Write tables as CSV in UTF-8, an empty line between them; the mark in front is for Excel."""
    lines = TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(lines)
    for number, table in enumerate(tables):
        if number:
            writer.writerow([])
        writer.writerow([_as_text(column.heading) for column in table.columns])
        writer.writerows([_as_text(cell) for cell in row] for row in table.rows)
    lines.detach()


def write_workbook(tables: Sequence[Table], file: IO[bytes], folder: Path) -> None:
    """Write a workbook with a sheet for each table; rows wait in files in ``folder``."""
    options = {"constant_memory": True, "tmpdir": str(folder)}
    book = xlsxwriter.Workbook(file, options)
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    formats = {one: book.add_format({"num_format": one}) for one in (_DATE, _TIME, _BOTH, _LENGTH)}
    for name, table in zip(_sheet_names(tables), tables, strict=True):
        sheet = book.add_worksheet(name)
        for place, column in enumerate(table.columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.heading, bold)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(table.rows, 1):
            for place, cell in enumerate(row):
                _write(sheet, (number, place), cell, formats)
    book.close()


def _sheet_names(tables: Iterable[Table]) -> list[str]:
    """Name sheets as spreadsheet programs allow: short, and no two alike but for their case."""
    names: list[str] = []
    for number, table in enumerate(tables, 1):
        name = table.name.translate(_NOT_IN_NAMES)[:_LONGEST_NAME].strip() or str(number)
        is_taken = name.casefold() in {known.casefold() for known in names}
        names.append(str(number) if is_taken else name)
    return names


def _write(
    sheet: Worksheet, at: tuple[int, int], cell: Cell, formats: Mapping[str, object]
) -> None:
    match cell:
        case None:
            pass
        case str():
            sheet.write_string(*at, cell)
        case datetime():
            sheet.write_datetime(*at, _on_the_wall(cell), formats[_BOTH])
        case date():
            sheet.write_datetime(*at, cell, formats[_DATE])
        case time():
            sheet.write_datetime(*at, cell, formats[_TIME])
        case timedelta():
            sheet.write_datetime(*at, cell, formats[_LENGTH])
        case int() | float():
            sheet.write_number(*at, cell)


def _as_text(cell: Cell) -> str | int | float | None:
    match cell:
        case str():
            # A spreadsheet program would work it out, and might run what it says.
            return f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell
        case datetime():
            return f"{_on_the_wall(cell):%Y-%m-%d %H:%M:%S}"
        case date():
            return cell.isoformat()
        case time():
            return f"{cell:%H:%M:%S}"
        case timedelta():
            minutes, seconds = divmod(round(cell.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
        case int() | float() | None:
            return cell


def _on_the_wall(instant: datetime) -> datetime:
    return instant.astimezone(LOCAL).replace(tzinfo=None, microsecond=0)
