"""Groups and reforms on pages and at the API."""

import re
from datetime import date, timedelta

from tests.factories.contents import contents
from tests.factories.pages import form_token
from tests.factories.units import PROVINCE

LATER = date.today() + timedelta(days=20)  # noqa: DTZ011 - any later day will do
DAY = f"{LATER:%d/%m/%Y}"


def post(browser, path: str, page: str, **fields: object):
    """Send a form of a page."""
    version = re.search(r'name="version" value="([^"]*)"', page)
    sent = {"csrf_token": form_token(page), "version": version[1] if version else "", **fields}
    return browser.post(path, data=sent)


def test_a_group_is_made_changed_and_forgotten_on_its_pages(site):
    browser = site.browser("top")
    new = browser.get("/groups/new").text
    made = post(browser, "/groups/new", new, unit_id=PROVINCE, name="Vùng cao", unit="xa-1")
    assert made.status_code == 303
    listed = browser.get("/groups").text
    assert "Vùng cao" in listed
    assert "2 cụm loa" in listed
    path = "/groups/tinh-vung-cao"
    page = browser.get(path).text
    assert post(browser, path, page, name="Vùng thấp", unit="xa-2").status_code == 303
    stale = post(browser, path, page, name="Khác", unit="xa-2")
    assert stale.status_code == 409
    assert "có người khác đã sửa nhóm" in stale.text
    empty = post(browser, "/groups/new", new, unit_id=PROVINCE, name="")
    assert empty.status_code == 422
    assert post(browser, f"{path}/delete", page).status_code == 303
    assert browser.get(path).status_code == 404


def test_who_does_not_administer_sees_groups_and_no_forms(site):
    officer = site.browser("commune-officer")
    assert officer.get("/groups").status_code == 200
    assert "Nhóm mới" not in officer.get("/groups").text
    assert officer.get("/groups/new").status_code == 403
    assert officer.get("/reforms").status_code == 200
    assert "Tạo bản nháp" not in officer.get("/reforms").text


def test_groups_at_the_api(any_site):
    program = any_site.program("top")
    wanted = {"unit_id": PROVINCE, "name": "Huyện cũ", "clusters": ["xa-1-c1"]}
    made = program.ask("POST", "/groups", json=wanted)
    assert made.status_code == 201
    path = f"/groups/{made.json['group_id']}"
    change = {"name": "Huyện mới", "clusters": ["xa-2-c1"], "version": made.json["version"]}
    assert program.ask("PUT", path, json=change).json["clusters"] == ["xa-2-c1"]
    again = program.ask("PUT", path, json=change)
    assert (again.status_code, again.json["findings"][0]["code"]) == (409, "group-changed")
    shown = any_site.program("elsewhere").ask("GET", "/groups").json["groups"]
    assert [one["name"] for one in shown] == ["Huyện mới"]
    assert program.ask("DELETE", path).status_code == 200
    assert program.ask("DELETE", path).status_code == 404


def a_reform(**changed: object):
    new = {"unit_id": "xa-moi", "name": "Xã Mới", "level_rank": 1, "parent_id": PROVINCE}
    return {
        "title": "Sáp nhập xã",
        "valid_from": LATER.isoformat(),
        "under": PROVINCE,
        "born": [new],
        "ways": [
            {"unit_id": "xa-1", "to": ["xa-moi"]},
            {"unit_id": "xa-2", "to": ["xa-moi"]},
        ],
        **changed,
    }


def test_a_reform_is_checked_and_approved_at_the_api(any_site):
    program = any_site.program("top")
    found = program.ask("POST", "/reforms/check", json=a_reform()).json
    assert found["findings"] == []
    assert found["ended"] == ["xa-1", "xa-2"]
    assert {(one["ref"], one["after"]) for one in found["clusters"]} == {
        (cluster, "xa-moi") for cluster in ("xa-1-c1", "xa-1-c2", "xa-2-c1", "xa-2-c2")
    }
    stale = program.ask("POST", "/reforms?seen=0123456789abcdef", json=a_reform())
    assert (stale.status_code, stale.json["code"]) == (409, "reform-stale")
    made = program.ask("POST", f"/reforms?seen={found['digest']}", json=a_reform())
    assert made.status_code == 201
    assert made.json["approved_by"] == "top"
    again = program.ask("POST", "/reforms", json=a_reform())
    assert again.status_code == 422
    assert again.json["findings"][0]["code"] == "reform-id-taken"
    assert "Mã “xa-moi”" in again.json["detail_by_language"]["vi"]
    (listed,) = program.ask("GET", "/reforms").json["reforms"]
    assert program.ask("GET", f"/reforms/{listed['reform_id']}").json == listed
    cancel = f"/reforms/{listed['reform_id']}/cancel"
    assert any_site.program("admin").ask("POST", cancel).status_code == 403
    for _ in range(2):
        assert program.ask("POST", cancel).json["approved_at"] is None
    assert program.ask("POST", "/reforms/check", json=a_reform()).json == found
    for other in ("admin", "elsewhere"):
        refused = any_site.program(other).ask("POST", "/reforms/check", json=a_reform())
        assert refused.status_code == 403


def test_a_reform_is_drawn_step_by_step_on_its_pages_and_approved(site):
    browser = site.browser("top")
    start = browser.get("/reforms").text
    bad = post(browser, "/reforms", start, title="Sáp nhập", valid_from="31/02", under=PROVINCE)
    assert bad.status_code == 422
    assert 'aria-describedby="valid_from-wrong"' in bad.text
    made = post(browser, "/reforms", start, title="Sáp nhập", valid_from=DAY, under=PROVINCE)
    path = made.headers["Location"]
    page = browser.get(path).text
    new = {"name": "Xã Mới", "level_rank": "1", "parent_id": PROVINCE}
    half = post(browser, f"{path}/born", page, **new, latitude="22,5")
    assert half.status_code == 422
    assert "vĩ độ và kinh độ" in half.text
    endless = {**new, "level_rank": "9" * 5000}
    assert post(browser, f"{path}/born", page, **endless).status_code == 422
    assert post(browser, f"{path}/born", page, **new).status_code == 303
    page = browser.get(path).text
    assert "tinh-xa-moi" in page
    assert post(browser, f"{path}/units", page, unit=["xa-1", "xa-2"]).status_code == 303
    # A form of before does not undo what has been done since.
    assert post(browser, f"{path}/born", page, **new).status_code == 422
    page = browser.get(path).text
    assert page.count("Xã Mới") >= 3
    way = browser.get(f"{path}/units/xa-2").text
    assert post(browser, f"{path}/units/xa-2", way, how="whole", to_one="").status_code == 303
    review = post(browser, f"{path}/review", browser.get(path).text)
    assert f"{path}?checked=1#way-xa-2-wrong" in review.text
    page = browser.get(f"{path}?checked=1").text
    assert 'id="way-xa-2-wrong"' in page
    by_village = {"ends": "yes", "how": "stay", "village": "Thôn Đoài", "village_to": ""}
    way = browser.get(f"{path}/units/xa-2").text
    assert post(browser, f"{path}/units/xa-2", way, **by_village).status_code == 303
    review = post(browser, f"{path}/review", page)
    assert "2 cụm loa sẽ không thuộc đơn vị nào" in review.text
    assert 'href="#hands"' in review.text
    hands = {"cluster": ["xa-2-c1", "xa-2-c2"], "hand": ["tinh-xa-moi", "tinh-xa-moi"]}
    review = post(browser, f"{path}/hands", review.text, **hands)
    assert "Duyệt đợt sắp xếp" in review.text
    seen = re.search(r'name="seen" value="(\w+)"', review.text)[1]
    stale = post(browser, f"{path}/approve", page, seen="0" * 16)
    assert stale.status_code == 409
    assert post(browser, f"{path}/approve", page, seen=seen).status_code == 303
    done = browser.get(path).text
    assert "Đã duyệt" in browser.get("/reforms").text
    assert post(browser, f"{path}/cancel", done).status_code == 303
    assert "Xem toàn bộ kết quả" in browser.get(path).text
    assert "Xã Mới" in done
    assert post(browser, f"{path}/basics", page, title="x", valid_from=DAY).status_code == 422


def test_a_group_that_would_bring_slots_together_is_refused_with_the_slots_named(site):
    program, browser = site.program("top"), site.browser("top")
    wanted = {"unit_id": PROVINCE, "name": "Vùng cao", "clusters": ["xa-1-c1"]}
    path = f"/groups/{program.ask('POST', '/groups', json=wanted).json['group_id']}"
    slot = {
        "title": "Thời sự",
        "content_kind": "live",
        "length_s": 600,
        "recurrence": "daily",
        "local_start": "05:30",
        "first_day": "2094-01-01",
    }
    upper = {**slot, "unit_id": PROVINCE, "groups": [path.rpartition("/")[2]]}
    own = {**slot, "unit_id": "xa-2", "units": ["xa-2"], "title": "Bản tin xã"}
    for one in (upper, own):
        assert program.ask("POST", "/slots", json=one).status_code == 201
    wider = {"name": "Vùng cao", "clusters": ["xa-1-c1", "xa-2-c1"]}
    before = contents(site.engine)
    answer = program.ask("PUT", path, json=wider)
    assert (answer.status_code, answer.json["code"]) == (409, "widening-clashes")
    assert [one["title"] for one in answer.json["clashes"]] == ["Bản tin xã"]
    page = browser.get(path).text
    form = {"name": "Vùng cao", "village": ["xa-1-c1", "xa-2-c1"]}
    form["version"] = re.search(r'name="version" value="([0-9a-f]+)"', page)[1]
    shown = post(browser, path, page, **form)
    assert shown.status_code == 409
    assert "Trùng giờ với “Bản tin xã”" in shown.text
    assert 'name="lie_over"' in shown.text
    assert contents(site.engine) == before
    assert post(browser, path, page, **form, lie_over="yes").status_code == 303
    assert program.ask("GET", "/groups").json["groups"][0]["clusters"] == wider["clusters"]
