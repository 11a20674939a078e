"""Clusters from a spreadsheet, on the pages."""

import re
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from server.domain.cluster_sheets import MOST_ROWS
from server.services.sheets import MAX_SHEET_BYTES, read_sheet
from server.store.models import ClusterRow
from tests.factories.pages import COMMUNE, form_token
from tests.factories.sheets import HEAD, a_row, a_sheet, a_workbook

PAGE = "/clusters/import"


def new(name: str, **cells: str) -> list[str]:
    return a_row(**{"commune": COMMUNE, "latitude": "", "longitude": "", "name": name, **cells})


def sent(browser, raw: bytes, name: str = "cum-loa.xlsx", **query: str):
    token = form_token(browser.get(PAGE).text)
    sheet = FileStorage(BytesIO(raw), name)
    boundary, body = encode_multipart({"csrf_token": token, "sheet": sheet})
    kind = f"multipart/form-data; boundary={boundary}"
    return browser.post(PAGE, data=body, content_type=kind, query_string=query)


def confirmed(browser, page: str):
    action = re.search(rf'action="({PAGE}/[0-9a-f]+)"', page)
    assert action is not None, page
    return browser.post(action[1], data={"csrf_token": form_token(page)})


def clusters(site) -> set[str]:
    with site.sessions.begin() as db:
        return {row.cluster_id for row in db.query(ClusterRow)}


def test_a_sheet_is_looked_at_and_then_taken_in(any_site):
    browser = any_site.browser("admin")
    rows = a_sheet(new("Bản Cáp"), new("Tên mới", cluster_id="xa-1-c1"))
    before = clusters(any_site)
    page = sent(browser, a_workbook(*rows)).text
    assert "1 cụm loa mới" in page
    assert "<strong>Tên mới</strong>" in page
    assert "<td>Xã xa-1</td>" in page
    assert clusters(any_site) == before
    done = confirmed(browser, page)
    assert done.status_code == 303
    assert "thêm 1 cụm loa, sửa 1" in browser.get(done.location).text
    assert clusters(any_site) == before | {"xa-1-ban-cap"}
    assert "Bản Cáp" in browser.get("/").text
    assert "2 cụm loa giữ nguyên" in sent(browser, a_workbook(*rows)).text


def test_a_sheet_is_taken_in_once(site):
    browser = site.browser("admin")
    page = sent(browser, a_workbook(*a_sheet(new("Bản Cáp")))).text
    assert confirmed(browser, page).status_code == 303
    assert confirmed(browser, page).status_code == 404


def test_every_wrong_row_is_named_in_both_languages_and_nothing_is_kept(site):
    browser = site.browser("admin")
    before = clusters(site)
    raw = a_workbook(*a_sheet(new("Bản Cáp"), new("Chợ", people="năm"), new("", commune="x")))
    answer = sent(browser, raw)
    assert answer.status_code == 422
    assert "Dòng 3: “Số dân” không phải là số hợp lệ: “năm”." in answer.text
    assert "Dòng 4: “Tên cụm” để trống." in answer.text
    assert "Row 3: “Số dân” is no number" in sent(browser, raw, lang="en").text
    assert f'action="{PAGE}/' not in answer.text
    assert clusters(site) == before


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "Bảng không có nội dung gì."),
        (b"PK\x03\x04 x", "Tệp này không phải bảng tính đọc được"),
        ("Tên cụm\nChợ\n".encode(), "Thiếu cột “Mã xã”"),
    ],
)
def test_what_is_no_sheet_is_refused_with_a_sentence(site, raw: bytes, sentence: str):
    answer = sent(site.browser("admin"), raw)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_file_that_is_too_large_is_refused(site):
    browser = site.browser("admin")
    assert sent(browser, b"x" * (MAX_SHEET_BYTES + 1)).status_code == 422
    assert sent(browser, b"x" * (MAX_SHEET_BYTES + 3_000_000)).status_code == 413


@pytest.mark.slow
def test_the_largest_sheet_of_nothing_but_wrong_rows_is_answered_shortly(site):
    raw = "\n".join("\t".join(row) for row in a_sheet(*[new("", people="x")] * MOST_ROWS)).encode()
    answer = sent(site.browser("admin"), raw, "x.csv")
    assert "có 2.000 lỗi" in answer.text
    assert answer.text.count("Dòng ") == 40
    assert answer.text.count("980 lỗi nữa cùng loại, ở các dòng 22–1001") == 2
    assert "Đến 2.000 lỗi thì dừng kiểm tra: từ dòng 1002 trở đi" in answer.text
    assert len(answer.data) < 30_000


def test_the_template_lists_the_communes_of_its_reader(site):
    answer = site.browser("admin").get(f"{PAGE}/template.xlsx")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="cum-loa.xlsx"'
    assert read_sheet(answer.data)[0] == HEAD
    with CalamineWorkbook.from_filelike(BytesIO(answer.data)) as book:
        listed = book.get_sheet_by_index(1).to_python()
    assert listed[1:] == [[COMMUNE, f"Xã {COMMUNE}", "Tỉnh"]]


@pytest.mark.parametrize("who", ["commune-officer", "broadcaster", "technician", "viewer"])
def test_only_administrators_get_in(site, who: str):
    browser = site.browser(who)
    first = browser.get("/")
    assert PAGE not in first.text
    assert browser.get(PAGE).status_code == 403
    assert browser.get(f"{PAGE}/template.xlsx").status_code == 403
    data = {"csrf_token": form_token(first.text), "sheet": (BytesIO(b"x"), "x.csv")}
    assert browser.post(PAGE, data=data).status_code == 403
    assert browser.post(f"{PAGE}/abc", data={"csrf_token": data["csrf_token"]}).status_code == 404
    assert PAGE in site.browser("admin").get("/").text


def test_an_administrator_of_another_commune_cannot_take_in_somebody_elses_sheet(site):
    page = sent(site.browser("admin"), a_workbook(*a_sheet(new("Bản Cáp")))).text
    action = re.search(rf'action="({PAGE}/[0-9a-f]+)"', page)
    assert action is not None
    browser = site.browser("top")
    token = form_token(browser.get(PAGE).text)
    assert browser.post(action[1], data={"csrf_token": token}).status_code == 404
