"""Read the first sheet of a workbook, in a process of its own: ``-m server.services.sheet_reader``.

The workbook comes on standard input, its cells go to standard output as JSON. A file of a few
kilobytes may unpack to gigabytes, or claim a cell in the last row and column: whatever it asks for
beyond the limits ends this process alone.
"""

import gc
import resource
import sys
from collections.abc import Sequence
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
    gc.disable()  # nothing of one sheet refers to itself, and its cells would be searched often
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
    rows = [_texts(row[:MOST_COLUMNS]) for row in cells]
    if sum(sum(map(len, row)) for row in rows) > _ALL_CHARACTERS:
        return TOO_LARGE
    sys.stdout.buffer.write(msgspec.json.encode(rows))
    return 0


def _texts(row: Sequence[object]) -> list[str]:
    """Write the cells of a row as somebody would have typed them; an enormous one is cut short."""
    # Nearly all are short texts already, and a sheet may have half a million.
    texts = [cell if isinstance(cell, str) else _text(cell) for cell in row]
    if sum(map(len, texts)) > _CELL_CHARACTERS:
        return [text[:_CELL_CHARACTERS] for text in texts]
    return texts


def _text(cell: object) -> str:
    """Write whole numbers without a point."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


if __name__ == "__main__":
    sys.exit(main())
