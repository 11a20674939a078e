"""Read the first sheet of a workbook, in a process of its own: ``-m server.services.sheet_reader``.

The workbook comes on standard input, its cells go to standard output as JSON. A file of a few
kilobytes may unpack to gigabytes, or claim a cell in the last row and column: whatever it asks for
beyond the limits ends this process alone.
"""

import resource
import sys
from collections.abc import Iterable
from io import BytesIO

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

NOT_A_SHEET = 3
TOO_LARGE = 4
MOST_COLUMNS = 40

_MEMORY_BYTES = 768_000_000
_CPU_S = 10
_ROWS_READ = 60_000
_CELL_CHARACTERS = 1_000
_ALL_CHARACTERS = 40_000_000


def main() -> int:
    """Read, and say by the exit status how it went."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(sys.stdin.buffer.read()))
        cells = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=_ROWS_READ)
    except (CalamineError, OSError, IndexError, ValueError):
        return NOT_A_SHEET
    except MemoryError:
        return TOO_LARGE
    rows = [[_text(cell) for cell in row[:MOST_COLUMNS]] for row in cells]
    if _characters(rows) > _ALL_CHARACTERS:
        return TOO_LARGE
    sys.stdout.buffer.write(msgspec.json.encode(rows))
    return 0


def _text(cell: object) -> str:
    """Write a cell as somebody would have typed it: whole numbers without a point."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)[:_CELL_CHARACTERS]


def _characters(rows: Iterable[Iterable[str]]) -> int:
    return sum(len(cell) for row in rows for cell in row)


if __name__ == "__main__":
    sys.exit(main())
