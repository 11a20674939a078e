"""Spreadsheets in and out: cells as text, and the template that people fill in."""

import csv
import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO, StringIO

import msgspec
import xlsxwriter

from server.domain.cluster_sheets import EXAMPLE_ID, HEADINGS, Column, Fault, refused
from server.services.sheet_reader import MOST_COLUMNS, TOO_LARGE

MAX_SHEET_BYTES = 5_000_000
SHEET_NAME = "Cụm loa"
COMMUNES_NAME = "Mã xã"

_WITHIN_S = 15
_ZIP = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_MOST_CSV_ROWS = 60_000
_DELIMITERS = ",;\t"
_EXAMPLE = {
    Column.CLUSTER_ID: EXAMPLE_ID,
    Column.NAME: "Nhà văn hóa Bản Cáp (dòng này là ví dụ, không được nhập)",
    Column.VILLAGE: "Bản Cáp",
    Column.COMMUNE: "00928",
    Column.LATITUDE: "22.6790",
    Column.LONGITUDE: "104.9825",
    Column.PEOPLE: "615",
    Column.CONTACT_NAME: "Nguyễn Văn A",
    Column.CONTACT_PHONE: "0912345678",
    Column.LANGUAGES: "vi, hmn, tyz",
    Column.DATA_PLAN_MB: "4 GB",
    Column.DATA_PLAN_DAY: "1",
}
_WIDTHS = (18, 34, 22, 12, 12, 12, 10, 24, 16, 16, 22, 18)

Rows = list[list[str]]


def read_sheet(raw: bytes) -> Rows:
    """Read the first sheet of an XLSX file, or a CSV file; empty rows are kept.

    Formulas are never worked out: of an XLSX file their last result is taken, in a CSV file they
    are text.

    Raises:
        SheetRefusedError: It is too large, or neither.
    """
    if len(raw) > MAX_SHEET_BYTES:
        raise refused(Fault.TOO_LARGE)
    if not raw.strip():
        raise refused(Fault.EMPTY)
    if raw.startswith(_OLD_WORKBOOK):
        raise refused(Fault.UNREADABLE)
    return _workbook(raw) if raw.startswith(_ZIP) else _csv(raw)


def template(communes: Sequence[tuple[str, str, str]]) -> bytes:
    """Make the sheet to fill in, with the codes (code, name, province) of communes beside it."""
    made = BytesIO()
    safe = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(made, safe)
    bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    quiet = book.add_format({"num_format": "@", "italic": True, "font_color": "#667085"})
    sheet = book.add_worksheet(SHEET_NAME)
    for place, (column, width) in enumerate(zip(HEADINGS, _WIDTHS, strict=True)):
        # As text, so that the zeros at the front of codes and numbers stay.
        sheet.set_column(place, place, width, text)
        sheet.write_string(0, place, HEADINGS[column][0], bold)
        sheet.write_string(1, place, _EXAMPLE[column], quiet)
    sheet.freeze_panes(1, 0)
    codes = book.add_worksheet(COMMUNES_NAME)
    codes.set_column(0, 0, 22, text)
    codes.set_column(1, 2, 34)
    for row, cells in enumerate([("Mã xã", "Xã, phường", "Tỉnh, thành phố"), *communes]):
        for place, cell in enumerate(cells):
            codes.write_string(row, place, cell, None if row else bold)
    codes.freeze_panes(1, 0)
    book.close()
    return made.getvalue()


def _workbook(raw: bytes) -> Rows:
    command = [sys.executable, "-m", "server.services.sheet_reader"]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, the file goes in as bytes
            command, input=raw, capture_output=True, check=True, timeout=_WITHIN_S
        )
    except subprocess.TimeoutExpired as error:
        raise refused(Fault.TOO_LARGE) from error
    except subprocess.CalledProcessError as error:
        # A negative status is a signal: it asked for more memory or time than it is given.
        large = error.returncode == TOO_LARGE or error.returncode < 0
        raise refused(Fault.TOO_LARGE if large else Fault.UNREADABLE) from error
    return msgspec.json.decode(done.stdout, type=Rows)


def _csv(raw: bytes) -> Rows:
    try:
        # Spreadsheet programs call UTF-16 "Unicode text".
        text = raw.decode("utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(Fault.ENCODING) from error
    if "\0" in text:  # UTF-16 without its mark, or UTF-32
        raise refused(Fault.ENCODING)
    first = next((line for line in StringIO(text) if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    rows: Rows = []
    try:
        for cells in csv.reader(StringIO(text, newline=""), delimiter=delimiter):
            rows.append(cells[:MOST_COLUMNS])
            if len(rows) > _MOST_CSV_ROWS:
                break
    except csv.Error as error:
        raise refused(Fault.UNREADABLE) from error
    return rows
