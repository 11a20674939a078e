"""Spreadsheets, read by the real reader in its own process."""

import unicodedata
import zipfile
from io import BytesIO

import pytest

from server.domain.cluster_import import examined
from server.domain.cluster_sheets import MOST_ROWS, Fault, SheetRefusedError
from server.services.sheet_reader import MOST_COLUMNS
from server.services.sheets import MAX_SHEET_BYTES, read_sheet, template
from tests.factories.sheets import COMMUNES, HEAD, a_ground, a_row, a_sheet, a_workbook

SHEET = "xl/worksheets/sheet1.xml"
SHEET_XML = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b"%s</sheetData></worksheet>"
)


def refusal(raw: bytes) -> str:
    with pytest.raises(SheetRefusedError) as refused:
        read_sheet(raw)
    return refused.value.findings[0].code


def rebuilt(raw: bytes, sheet: bytes) -> bytes:
    """Put another sheet into a workbook."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(raw)) as old, zipfile.ZipFile(made, "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, sheet if name == SHEET else old.read(name))
    return made.getvalue()


def test_a_workbook_and_a_text_file_of_the_same_cells_read_alike():
    rows = a_sheet(a_row(), a_row(name="Chợ; phố, “cũ”", people="615"))
    text = "\n".join(";".join(f'"{cell}"' for cell in row) for row in rows)
    assert read_sheet(a_workbook(*rows)) == rows
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert read_sheet(text.encode(encoding)) == rows


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_files_of_every_spreadsheet_program_are_read(encoding: str, delimiter: str):
    text = "\r\n".join(delimiter.join(row) for row in (["Tên cụm", "Mã xã"], ["Chợ", "00928"]))
    assert read_sheet(text.encode(encoding)) == [["Tên cụm", "Mã xã"], ["Chợ", "00928"]]


def test_of_a_file_without_end_only_so_many_rows_and_columns_are_read():
    rows = read_sheet(b"x\n" * (MAX_SHEET_BYTES // 2))
    assert MOST_ROWS < len(rows) < MOST_ROWS + 20_000
    assert [len(row) for row in read_sheet(b"a," * 10_000)] == [MOST_COLUMNS]
    many = b"".join(b'<c t="inlineStr"><is><t>y</t></is></c>' for _ in range(10_000))
    wide = rebuilt(a_workbook(["x"]), SHEET_XML % (b'<row r="1">' + many + b"</row>"))
    assert [len(row) for row in read_sheet(wide)] == [MOST_COLUMNS]


def test_an_enormous_text_in_a_cell_is_cut_short():
    text = b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + b"x" * 1_000_000 + b"</t></is></c></row>"
    ((cell,),) = read_sheet(rebuilt(a_workbook(["x"]), SHEET_XML % text))
    assert len(cell) == 1_000


def test_numbers_read_as_somebody_would_have_typed_them():
    assert read_sheet(a_workbook([928.0, 22.8312, 912345678.0, "x"])) == [
        ["928", "22.8312", "912345678", "x"]
    ]


def test_formulas_are_never_worked_out():
    assert read_sheet(a_workbook(["x"], formula="=1+1")) == [["x"], ["42"]]
    assert read_sheet(b'"=1+1",=cmd|x\n') == [["=1+1", "=cmd|x"]]


def test_rows_keep_their_numbers():
    assert read_sheet(a_workbook([], [], ["x"])) == [[""], [""], ["x"]]
    assert read_sheet(b"\n\nx\n") == [[], [], ["x"]]


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", Fault.EMPTY),
        (b" \n", Fault.EMPTY),
        (b"PK\x03\x04 not a workbook", Fault.UNREADABLE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9, Fault.UNREADABLE),
        (b"\xff\xfe\x00", Fault.ENCODING),
        ("Tên cụm;Mã xã".encode("utf-16-le"), Fault.ENCODING),
        ("Tên cụm;Mã xã".encode("utf-32"), Fault.ENCODING),
        (unicodedata.normalize("NFD", "Tên cụm;Mã xã").encode("cp1258", "ignore"), Fault.ENCODING),
        (b"a,b\n" + b"x" * 200_000, Fault.UNREADABLE),
        (b"x," * (MAX_SHEET_BYTES // 2 + 1), Fault.TOO_LARGE),
    ],
)
def test_what_is_no_sheet_is_refused(raw: bytes, fault: Fault):
    assert refusal(raw) == fault


def test_half_a_workbook_is_refused():
    whole = a_workbook(*a_sheet(a_row()))
    assert refusal(whole[: len(whole) // 2]) == Fault.UNREADABLE


def test_a_cell_in_the_last_row_and_column_costs_the_reader_and_not_the_server():
    far = SHEET_XML % (
        b'<row r="1"><c r="A1"><v>1</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    )
    assert refusal(rebuilt(a_workbook(["x"]), far)) == Fault.TOO_LARGE


@pytest.mark.slow
def test_a_file_that_unpacks_to_gigabytes_is_refused():
    cell = b'<c r="A1" t="inlineStr"><is><t>' + b"x" * 900_000_000 + b"</t></is></c>"
    bomb = SHEET_XML % (b'<row r="1">' + cell + b"</row>")
    raw = rebuilt(a_workbook(["x"]), bomb)
    assert len(raw) < MAX_SHEET_BYTES
    assert refusal(raw) == Fault.TOO_LARGE


def test_the_template_can_be_filled_in_and_read_again():
    codes = [(code, f"Xã {code}", "Tỉnh Tuyên Quang") for code in COMMUNES]
    rows = read_sheet(template(codes))
    assert rows[0] == HEAD
    verdict = examined([*rows, a_row()], a_ground())
    assert [one.name for one in verdict.new] == ["Bản Cáp"]
    assert not verdict.faults


@pytest.mark.slow
def test_the_largest_sheet_is_read_whole():
    rows = a_sheet(*[a_row(name=f"Cụm {number}") for number in range(MOST_ROWS)])
    verdict = examined(read_sheet(a_workbook(*rows)), a_ground())
    assert len(verdict.new) == MOST_ROWS
