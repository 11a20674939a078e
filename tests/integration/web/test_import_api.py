"""Clusters from a spreadsheet, for programs."""

from io import BytesIO

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from server.services.sheets import MAX_SHEET_BYTES
from server.store.models import ClusterRow
from tests.factories.pages import COMMUNE
from tests.factories.sheets import a_row, a_sheet, a_workbook

PATH = "/clusters/import"


def new(name: str, **cells: str) -> list[str]:
    return a_row(**{"commune": COMMUNE, "latitude": "", "longitude": "", "name": name, **cells})


def sent(program, *rows: list[str], raw: bytes | None = None, **fields: str):
    content = a_workbook(*a_sheet(*rows)) if raw is None else raw
    sheet = FileStorage(BytesIO(content), "x.xlsx")
    boundary, body = encode_multipart({"sheet": sheet, **fields})
    kind = f"multipart/form-data; boundary={boundary}"
    return program.ask("POST", PATH, data=body, content_type=kind)


def clusters(site) -> set[str]:
    with site.sessions.begin() as db:
        return {row.cluster_id for row in db.query(ClusterRow)}


def test_a_dry_run_tells_what_would_be_done_and_the_next_call_does_it(any_site):
    program, before = any_site.program("admin"), clusters(any_site)
    rows = [new("Bản Cáp"), new("Tên mới", cluster_id="xa-1-c1")]
    told = sent(program, *rows, dry_run="true")
    assert told.status_code == 200, told.text
    assert clusters(any_site) == before
    assert told.json["new"] == [
        {"cluster_id": "xa-1-ban-cap", "unit_id": COMMUNE, "name": "Bản Cáp", "village": "Bản Cáp"}
    ]
    assert told.json["changed"][0]["columns"] == ["name"]
    done = sent(program, *rows)
    assert {**done.json, "dry_run": True} == told.json
    assert clusters(any_site) == before | {"xa-1-ban-cap"}
    again = sent(program, *rows).json
    assert (again["new_count"], again["changed_count"], again["same_count"]) == (0, 0, 2)


def test_wrong_rows_are_told_the_first_of_each_kind_and_nothing_is_taken_in(site):
    program, before = site.program("admin"), clusters(site)
    rows = [new("Bản Cáp"), *[new("Chợ", people="năm")] * 30]
    told = sent(program, *rows, dry_run="true").json
    (kind,) = told["faults"]
    assert (told["fault_count"], kind["count"], kind["not_shown"]) == (30, 30, 10)
    assert kind["findings"][0]["fields"] == {"row": "3", "column": "Số dân", "value": "năm"}
    assert kind["findings"][-1]["detail"] == "và 10 lỗi nữa cùng loại, ở các dòng 23–32"
    refused = sent(program, *rows)
    assert (refused.status_code, refused.mimetype) == (422, "application/problem+json")
    assert refused.json["code"] == "sheet-refused"
    assert [one["detail"] for one in refused.json["findings"]] == [
        one["detail"] for one in kind["findings"]
    ]
    assert refused.json["findings"][0]["row"] == "3"
    assert clusters(site) == before


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_what_is_no_sheet_or_too_large_is_a_problem(site, dry_run: str):
    program = site.program("admin")
    assert sent(program, raw=b"PK\x03\x04 x", dry_run=dry_run).status_code == 422
    assert sent(program, raw=b"x" * (MAX_SHEET_BYTES + 1), dry_run=dry_run).status_code == 422
    assert sent(program, raw=b"x" * (MAX_SHEET_BYTES + 3_000_000)).status_code == 413
    assert program.ask("POST", PATH, data={"dry_run": dry_run}).status_code == 422


@pytest.mark.parametrize("who", ["commune-officer", "broadcaster", "technician", "viewer"])
def test_only_administrators_may_even_ask(site, who: str):
    before = clusters(site)
    for dry_run in ("true", "false"):
        assert sent(site.program(who), new("Bản Cáp"), dry_run=dry_run).status_code == 403
    assert clusters(site) == before


def test_clashes_that_widening_would_bring_are_told_before_and_refused_after(site):
    with site.sessions.begin() as db:
        db.get_one(ClusterRow, "xa-1-c1").languages = ["vi"]
        db.get_one(ClusterRow, "xa-1-c2").languages = ["hmn"]
    program = site.program("admin")
    slot = {
        "unit_id": COMMUNE,
        "title": "Bản tin",
        "assets": [site.digest],
        "recurrence": "daily",
        "local_start": "05:00",
        "first_day": "2099-01-01",
        "units": [COMMUNE],
    }
    officer = site.program("commune-officer")
    for language in ("vi", "hmn"):
        made = officer.ask("POST", "/slots", json={**slot, "languages": [language]})
        assert made.status_code == 201, made.text
    rows = [new("Cụm 1", cluster_id="xa-1-c1", languages="vi, hmn")]
    told = sent(program, *rows, dry_run="true")
    assert told.status_code == 200
    assert "Bản tin" in told.json["clashes"][0]["detail"]
    refused = sent(program, *rows)
    assert (refused.status_code, refused.json["code"]) == (409, "widening-clashes")
    assert [one["detail"] for one in refused.json["findings"]] == [
        one["detail"] for one in told.json["clashes"]
    ]
    assert refused.json["clash_count"] >= 1
