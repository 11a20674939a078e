"""Tables that spreadsheet programs read back: dates are dates, and nothing is a formula."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO

from python_calamine import CalamineWorkbook

from server.services.tables import Column, Table, write_csv, write_workbook

HOSTILE = ("=1+1", "+84", "-cmd|' /C calc'!A0", "@SUM(A1)", "\tx", "\r=1")
INSTANT = datetime(2026, 11, 21, 22, 30, 5, 9, tzinfo=UTC)


def a_table(*rows: tuple[object, ...], name: str = "Lịch phát"):
    columns = [Column(heading, 12) for heading in ("Ngày", "Giờ", "Lúc", "Dài", "Tên", "Số")]
    return Table(name, columns, rows)


ROW = (date(2026, 11, 22), time(5, 30, 5), INSTANT, timedelta(hours=25, seconds=61), "Thời sự", 3)


def as_csv(*tables: Table) -> bytes:
    file = BytesIO()
    write_csv(tables, file)
    return file.getvalue()


def as_workbook(*tables: Table, folder) -> CalamineWorkbook:
    file = BytesIO()
    write_workbook(tables, file, folder)
    file.seek(0)
    return CalamineWorkbook.from_filelike(file)


def test_a_workbook_has_real_dates_times_and_lengths(tmp_path):
    book = as_workbook(a_table(ROW), folder=tmp_path)
    assert book.sheet_names == ["Lịch phát"]
    headings, row = book.get_sheet_by_index(0).to_python()
    assert headings == ["Ngày", "Giờ", "Lúc", "Dài", "Tên", "Số"]
    assert row[0] == date(2026, 11, 22)
    assert row[1] == time(5, 30, 5)
    assert row[2] == datetime(2026, 11, 22, 5, 30, 5)  # noqa: DTZ001 - on the wall
    assert row[3] == timedelta(hours=25, seconds=61)
    assert row[4:] == ["Thời sự", 3]


def test_a_csv_is_told_to_excel_as_utf_8_and_has_times_on_the_wall():
    raw = as_csv(a_table(ROW))
    assert raw.startswith(b"\xef\xbb\xbf")
    _headings, row = csv.reader(raw.decode("utf-8-sig").splitlines())
    assert row == ["2026-11-22", "05:30:05", "2026-11-22 05:30:05", "25:01:01", "Thời sự", "3"]


def test_nothing_that_people_typed_is_worked_out_as_a_formula(tmp_path):
    rows = [(None, None, None, None, text, -1) for text in HOSTILE]
    read = list(csv.reader(as_csv(a_table(*rows)).decode("utf-8-sig").splitlines(keepends=True)))
    assert [row[4][0] for row in read[1:]] == ["'"] * len(HOSTILE)
    assert {row[5] for row in read[1:]} == {"-1"}  # a number of ours stays one
    sheet = as_workbook(a_table(*rows), folder=tmp_path).get_sheet_by_index(0)
    assert [row[4].strip() for row in sheet.to_python()[1:]] == [text.strip() for text in HOSTILE]


def test_a_name_that_no_sheet_may_have_is_made_to_fit(tmp_path):
    name = "Xã [Đồng/Văn]: khung giờ phát thanh của xã"
    (made,) = as_workbook(a_table(name=name), folder=tmp_path).sheet_names
    assert len(made) <= 31
    assert not set(made) & set("[]:*?/\\")


def test_rows_wait_in_the_given_folder_and_leave_nothing_there(tmp_path):
    as_workbook(a_table(*[ROW] * 500), folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_several_tables_are_a_sheet_each_and_in_csv_an_empty_line_lies_between(tmp_path):
    tables = [a_table(ROW), a_table(ROW, ROW, name="LỊCH PHÁT"), a_table(name="Đã báo")]
    lines = as_csv(*tables).decode("utf-8-sig").split("\r\n")
    assert [line.split(",")[0] for line in lines] == [
        *("Ngày", "2026-11-22", ""),
        *("Ngày", "2026-11-22", "2026-11-22", ""),
        *("Ngày", ""),
    ]
    book = as_workbook(*tables, folder=tmp_path)
    assert book.sheet_names == ["Lịch phát", "2", "Đã báo"]
    assert [len(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names] == [2, 3, 1]
