"""What remains of an announcement: its record on a page, on paper, as a table."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pypdfium2
import pytest
from fontTools.ttLib import TTFont
from python_calamine import CalamineWorkbook

from protocol.content import layout
from protocol.signing import unverified
from server.services import as_run, contacts, dossiers
from server.services.contacts import NewContact
from server.services.dossiers import Dossier
from server.store.models import AlertRow, AsRunRow, BroadcastRow, DeliveryRow, SpeechRow
from server.web.dossiers.fonts import whole_font
from server.web.dossiers.paper import dossier_paper
from tests.factories.claims import NOON
from tests.factories.pages import CLUSTERS, COMMUNE
from tests.factories.units import OPERATOR

TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
WORDS = "Nước sông lên nhanh, đề nghị bà con sơ tán ngay."


def announced(site, **facts: object) -> str:
    wanted = {
        "request_id": "yeu-cau-bien-ban",
        "unit_id": COMMUNE,
        "title": "=Lũ lên nhanh",
        "bulletin_class": "emergency",
        "asset_digest": site.digest,
        "units": [COMMUNE],
        "repeat": 2,
        **facts,
    }
    made = site.program("commune-officer").ask("POST", "/broadcasts", json=wanted)
    assert made.status_code == 201, made.text
    return made.json["broadcast_id"]


def heard_at(site, broadcast_id: str, cluster: str, *, said: str = WORDS) -> None:
    """Put on record that a cluster played all of it; the others are silent for good."""
    with site.sessions.begin() as db:
        row = db.get(BroadcastRow, broadcast_id)
        last = layout(unverified(row.token).msg.claim.content)[-1]
        end = row.start + timedelta(seconds=last.offset_s + last.asset.duration_s)
        segment = {
            "start": row.start.isoformat(),
            "end": end.isoformat(),
            "position_s": 0.0,
        }
        db.add(
            AsRunRow(
                claim_id=broadcast_id,
                cluster_id=cluster,
                unit_id=COMMUNE,
                outcome="played",
                start=row.start,
                end=end,
                segments={"heard": [segment], "said": ["heard", "", "played", ""]},
                source="node",
                recorded_at=end,
            )
        )
        delivery = db.query(DeliveryRow).filter_by(broadcast_id=broadcast_id, cluster_id=cluster)
        delivery.one().state = "played"
        as_run.close_ended(db, now=row.end + timedelta(hours=1))
        db.add(
            SpeechRow(
                key="e" * 64,
                digest=site.digest,
                text=WORDS,
                said=said,
                engine="espeak-ng",
                language="vi",
                created_at=NOON,
                created_by="commune-officer",
            )
        )


def test_the_record_tells_what_was_said_by_whom_and_which_cluster_heard_it(any_site):
    one = announced(any_site)
    officer = any_site.browser("commune-officer")
    assert (
        "Chưa phải cụm loa nào cũng báo cáo xong" in officer.get(f"/broadcasts/{one}/record").text
    )
    heard_at(any_site, one, CLUSTERS[0])
    assert f"/broadcasts/{one}/record" in officer.get(f"/broadcasts/{one}").text
    page = officer.get(f"/broadcasts/{one}/record").text
    for said in (WORDS, "Tiếng Việt", "Người commune-officer", "1 trên 2 cụm loa", "2 lần"):
        assert said in page
    assert page.count('class="lane-said"') == 2
    assert "Không liên lạc được với cụm loa" in page
    assert "Chưa phải cụm loa nào" not in page


def test_where_the_reading_was_corrected_the_record_has_what_was_said(site):
    one = announced(site)
    heard_at(site, one, CLUSTERS[0], said="Nước sông lên nhanh, bà con ra nhà văn hóa ngay.")
    page = site.browser("viewer").get(f"/broadcasts/{one}/record").text
    assert "bà con ra nhà văn hóa ngay" in page
    assert "sơ tán ngay" not in page


def test_how_grave_and_how_loud_it_was_stands_on_the_page_and_on_paper(site):
    one = announced(site, bulletin_class="emergency", severity=4, gain_db=-5)
    viewer = site.browser("viewer")
    assert "Đặc biệt nghiêm trọng" in viewer.get(f"/broadcasts/{one}").text
    page = viewer.get(f"/broadcasts/{one}/record").text
    paper = pypdfium2.PdfDocument(viewer.get(f"/broadcasts/{one}/record.pdf", buffered=True).data)
    try:
        text = paper[0].get_textpage().get_text_range()
        for said in ("Đặc biệt nghiêm trọng", "Nhỏ hơn"):
            assert said in page
            assert said in text
    finally:
        paper.close()


def test_the_table_has_a_line_for_each_piece_and_each_silent_cluster_and_by_whose_authority(site):
    one = announced(site, decision_number="15/QĐ-UBND")
    heard_at(site, one, CLUSTERS[0])
    answer = site.browser("viewer").get(f"/broadcasts/{one}/record.csv", buffered=True)
    table, about = answer.data.decode("utf-8-sig").split("\r\n\r\n")
    facts = dict(csv.reader(io.StringIO(about)))
    assert facts["Quyết định"] == "15/QĐ-UBND"
    assert facts["Người phát lệnh"].startswith("Người commune-officer, ")
    assert WORDS in facts.values()
    rows = list(csv.DictReader(io.StringIO(table)))
    pieces = [row for row in rows if row["Mã"] == CLUSTERS[0]]
    assert [row["Nội dung"] for row in pieces] == ["Bản tin", "Bản tin"]
    assert {row["Trọn vẹn"] for row in pieces} == {"có"}
    (silent,) = (row for row in rows if row["Mã"] == CLUSTERS[1])
    assert (silent["Nội dung"], silent["Nguồn ghi nhận"]) == ("", "do không có báo cáo")
    book = site.browser("viewer").get(f"/broadcasts/{one}/record.xlsx", buffered=True)
    assert book.data.startswith(b"PK")


def test_on_paper_it_is_an_a4_document_that_bears_its_title(site):
    one = announced(site)
    heard_at(site, one, CLUSTERS[0])
    answer = site.browser("viewer").get(f"/broadcasts/{one}/record.pdf", buffered=True)
    assert answer.mimetype == "application/pdf"
    assert f"bien-ban_{one}.pdf" in answer.headers["Content-Disposition"]
    paper = pypdfium2.PdfDocument(answer.data)
    try:
        text = "".join(page.get_textpage().get_text_range() for page in paper)
        said = ("Biên bản phát thanh", "=Lũ lên nhanh", WORDS, "1 trên 2 cụm loa", CLUSTERS[1])
        assert [words for words in said if words not in text] == []
        assert [round(side) for side in paper[0].get_size()] == [595, 842]
    finally:
        paper.close()


def test_the_font_of_paper_has_every_vietnamese_letter_in_one_file():
    marked = "aăâeêioôơuưy"
    letters = {unicodedata.normalize("NFC", one + tone) for one in marked for tone in TONES}
    for weight in (400, 700):
        with TTFont(whole_font(weight)) as font:
            assert {ord(one) for one in {*letters, *"đ–·…“”"}} <= font.getBestCmap().keys()


@contextmanager
def on_paper(site, found: Dossier) -> Iterator[list[str]]:
    """The text of each page of a record."""
    with site.app.test_request_context("/"):
        paper = pypdfium2.PdfDocument(dossier_paper(found, now=NOON))
    try:
        yield [page.get_textpage().get_text_range() for page in paper]
    finally:
        paper.close()


def a_dossier(site) -> Dossier:
    one = announced(site)
    heard_at(site, one, CLUSTERS[0])
    with site.sessions.begin() as db:
        return dossiers.dossier(db, one, now=NOON, actor=OPERATOR)


@pytest.mark.parametrize("files", [7, 8, 9])
def test_the_columns_are_named_once_on_each_page_wherever_the_table_begins(site, files):
    found = a_dossier(site)
    many = replace(found, said=found.said[:1] * files, witnesses=found.witnesses[:1] * 20)
    with on_paper(site, many) as pages:
        assert [page.count("Đã phát những gì") for page in pages] == [files == 7, 1]
        assert "".join(pages).count(CLUSTERS[0]) == 20


def test_a_cluster_that_heard_more_than_a_page_holds_goes_on_on_the_next(site):
    found = a_dossier(site)
    (heard, silent) = sorted(found.witnesses, key=lambda one: not one.heard)
    long = replace(heard, heard=heard.heard[-1:] * 130)
    with on_paper(site, replace(found, witnesses=(long, silent))) as pages:
        assert "".join(pages).count(" Bản tin") == 130
        assert len(pages) <= 5


def test_the_record_names_who_was_told_when_and_what_became_of_it(site):
    one = announced(site)
    with site.sessions.begin() as db:
        person = contacts.add_contact(
            db, NewContact(COMMUNE, "Ông Páo", "0912 345 678"), now=NOON, actor=OPERATOR
        )
        db.flush()  # alerts refer to it
        made = {"contact_id": person.contact_id, "created_at": NOON, "body": "-"}
        made |= {"broadcast_id": one, "target": person.contact_id}
        failed = {"at": NOON.isoformat(), "result": "failed", "words": "quota"}
        sent = {"at": NOON.isoformat(), "result": "sent", "words": ""}
        db.add(
            AlertRow(
                **made, after_s=10, subject="2/2 cụm loa", state="sent", results=[failed, sent]
            )
        )
        db.add(AlertRow(**made, after_s=30, subject="Vẫn còn", state="to-call"))
    viewer = site.browser("viewer")
    page = viewer.get(f"/broadcasts/{one}/record").text
    answer = viewer.get(f"/broadcasts/{one}/record.pdf", buffered=True)
    paper = pypdfium2.PdfDocument(answer.data)
    try:
        printed = "".join(part.get_textpage().get_text_range() for part in paper)
    finally:
        paper.close()
    for said in ("Ông Páo", "2/2 cụm loa", "Đã gửi", "Cần gọi điện"):
        assert said in page
        assert said in printed
    assert "quota" in printed
    table = viewer.get(f"/broadcasts/{one}/record.csv", buffered=True).data.decode("utf-8-sig")
    told_lines = list(csv.DictReader(io.StringIO(table.split("\r\n\r\n")[1])))
    assert [line["Người nhận"] for line in told_lines] == ["Ông Páo"] * 2
    assert [line["Nội dung"] for line in told_lines] == ["2/2 cụm loa", "Vẫn còn"]
    assert "quota" in told_lines[0]["Kết quả"]
    assert told_lines[1]["Kết quả"] == "Cần gọi điện"
    book = viewer.get(f"/broadcasts/{one}/record.xlsx", buffered=True).data
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_name("Đã báo tin cho ai")
    assert [row[-2] for row in sheet.to_python()] == ["Nội dung", "2/2 cụm loa", "Vẫn còn"]
    told = site.program("viewer").ask("GET", f"/broadcasts/{one}/record").json["told"]
    assert [(each["about"], each["after_s"], each["state"]) for each in told] == [
        ("silence", 10, "sent"),
        ("silence", 30, "to-call"),
    ]


def test_a_program_is_given_the_same_record(any_site):
    one = announced(any_site)
    heard_at(any_site, one, CLUSTERS[0])
    record = any_site.program("viewer").ask("GET", f"/broadcasts/{one}/record").json
    assert record["broadcast"]["broadcast_id"] == one
    assert (record["is_complete"], record["sounded"], record["told"]) == (True, 1, [])
    assert [(deed["act"], deed["name"]) for deed in record["deeds"]] == [
        ("sent", "Người commune-officer")
    ]
    assert [said["text"] for said in record["said"] if said["text"]] == [WORDS]
    assert [cluster["cluster_id"] for cluster in record["clusters"]] == list(CLUSTERS)
    heard = record["clusters"][0]["heard"]
    assert [piece["is_whole"] for piece in heard] == [True] * 2
    assert record["first_sound_at"] == heard[0]["start"]
    assert record["clusters"][1]["heard"] == []
    for name, status in (("elsewhere", 403), ("viewer", 404)):
        path = f"/broadcasts/{one if status == 403 else 'b-0'}/record"
        assert any_site.program(name).ask("GET", path).status_code == status


@pytest.mark.parametrize("what", ["record", "record.pdf", "record.csv", "record.xlsx"])
def test_who_may_not_see_the_unit_gets_none_of_it(site, what):
    one = announced(site)
    assert site.browser("elsewhere").get(f"/broadcasts/{one}/{what}").status_code == 403
    assert site.browser("viewer").get(f"/broadcasts/b-0/{what}").status_code == 404
    assert site.browser().get(f"/broadcasts/{one}/{what}").status_code == 303
