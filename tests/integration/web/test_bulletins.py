"""Bulletins on the pages and at the API: compose, approve as another, answer, order."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.recurrence import LOCAL
from server.store.models import BulletinRow, SlotRow
from tests.factories.pages import COMMUNE, OTHER, at_its_field, form_token
from tests.factories.units import PROVINCE

NOW = datetime.now(UTC)
DUE = NOW + timedelta(days=3)
LATER = (NOW + timedelta(days=2)).astimezone(LOCAL)


def a_bulletin(digest, **changed: object):
    return {
        "request_id": "bulletin-00000001",
        "unit_id": PROVINCE,
        "title": "Tiêm phòng cho trẻ em",
        "asset_digest": digest,
        "addressed": [PROVINCE],
        "deadline": DUE.isoformat(),
        **changed,
    }


def staffed(site):
    site.let_in("editor", "broadcaster", PROVINCE)
    site.let_in("writer", "broadcaster", PROVINCE)
    return site


@pytest.fixture
def office(site):
    """A site whose province has two people: whoever writes a bulletin needs another."""
    return staffed(site)


def sent(office, **changed: object) -> str:
    writer, editor = office.program("writer"), office.program("editor")
    made = writer.ask("POST", "/bulletins", json=a_bulletin(office.digest, **changed))
    assert made.status_code == 201, made.json
    path = f"/bulletins/{made.json['bulletin']['bulletin_id']}"
    for program, step in ((writer, "submit"), (editor, "approve"), (writer, "send")):
        answer = program.ask("POST", f"{path}/{step}", json={"version": 1})
        assert answer.status_code == 200, answer.json
    return made.json["bulletin"]["bulletin_id"]


def posted(browser, page: str, path: str, **fields: object):
    token = form_token(browser.get(page).text)
    return browser.post(path, data={"csrf_token": token, **fields})


def test_a_program_takes_a_bulletin_all_the_way(any_site):
    office = staffed(any_site)
    bulletin = sent(office)
    officer = office.program("commune-officer")
    (letter,) = officer.ask("GET", f"/units/{COMMUNE}/inbox").json["letters"]
    assert (letter["standing"], letter["bulletin"]["bulletin_id"]) == ("waiting", bulletin)
    airing = {"local_start": "05:30", "first_day": f"{LATER:%Y-%m-%d}"}
    path = f"/units/{COMMUNE}/inbox/{bulletin}"
    taken = officer.ask("POST", f"{path}/take", json=airing)
    assert (taken.status_code, taken.json["standing"]) == (200, "taken")
    other = office.program("elsewhere")
    declined = other.ask(
        "POST", f"/units/{OTHER}/inbox/{bulletin}/decline", json={"reason": "Đã phát"}
    )
    assert declined.json["standing"] == "declined"
    report = office.program("writer").ask("GET", f"/bulletins/{bulletin}").json
    assert report["counts"] == {"taken": 1, "declined": 1}
    assert [one["act"] for one in report["history"]][-2:] == ["take", "decline"]
    again = officer.ask("POST", f"{path}/decline", json={"reason": "thôi"})
    assert (again.status_code, again.json["code"]) == (422, "bulletin-refused")
    assert [one["code"] for one in again.json["findings"]] == ["answered-already"]


def test_who_wrote_it_is_told_at_the_api_that_another_has_to_approve(office):
    writer = office.program("writer")
    made = writer.ask("POST", "/bulletins", json=a_bulletin(office.digest)).json
    path = f"/bulletins/{made['bulletin']['bulletin_id']}"
    writer.ask("POST", f"{path}/submit", json={"version": 1})
    own = writer.ask("POST", f"{path}/approve", json={"version": 1})
    assert (own.status_code, own.json["findings"][0]["code"]) == (422, "own-bulletin")
    for nobody in ("commune-officer", "viewer"):
        answer = office.program(nobody).ask("POST", f"{path}/approve", json={"version": 1})
        assert answer.status_code == 403
        assert office.program(nobody).ask("GET", path).status_code == 403
    edit = a_bulletin(office.digest, version=1, title="Khác")
    for known in ("request_id", "unit_id"):
        edit.pop(known)
    assert writer.ask("PUT", path, json=edit).json["bulletin"]["version"] == 2
    stale = writer.ask("PUT", path, json=edit)
    assert stale.status_code == 409
    listed = writer.ask("GET", "/bulletins").json["bulletins"]
    assert [one["title"] for one in listed] == ["Khác"]
    back = office.program("editor").ask("POST", f"{path}/return", json={"version": 2})
    assert back.status_code == 422


def test_clashes_are_listed_and_ordered_by_a_program_of_the_commune(office):
    top, officer = office.program("top"), office.program("commune-officer")
    hours = {"unit_id": PROVINCE, "local_start": "06:00", "local_end": "06:01"}
    assert top.ask("POST", "/frames", json=hours).status_code == 201
    own = {
        "unit_id": COMMUNE,
        "title": "Tin của xã",
        "bulletin_class": "priority",
        "assets": [office.digest],
        "recurrence": "daily",
        "local_start": "06:00",
        "first_day": f"{NOW + timedelta(days=1):%Y-%m-%d}",
        "units": [COMMUNE],
    }
    assert officer.ask("POST", "/slots", json=own).status_code == 201
    sent(office, bulletin_class="priority")
    (clash,) = officer.ask("GET", f"/units/{COMMUNE}/clashes").json["clashes"]
    seen = [one["claim_id"] for one in clash["contenders"]]
    asked = {"seen": seen, "wanted": seen[::-1]}
    assert top.ask("PUT", f"/units/{COMMUNE}/clashes", json=asked).status_code == 403
    (after,) = officer.ask("PUT", f"/units/{COMMUNE}/clashes", json=asked).json["clashes"]
    assert [one["claim_id"] for one in after["contenders"]] == seen[::-1]
    assert [one["rank"] for one in after["contenders"]] == [1, 2]
    old = {"seen": seen, "wanted": seen}
    assert officer.ask("PUT", f"/units/{COMMUNE}/clashes", json=old).status_code == 409
    page = f"/units/{COMMUNE}/inbox"
    browser = office.browser("commune-officer")
    assert "Xã đã quyết định" in browser.get(page).text
    fields = {"seen": seen[::-1], "claim": seen[::-1], "down": seen[1]}
    moved = posted(browser, page, f"{page}/order", **fields)
    assert moved.status_code == 303
    fields["down"] = ""
    stale = posted(browser, page, f"{page}/order", **fields)
    assert stale.status_code == 409
    assert "Dưới đây là thứ tự hiện tại" in stale.text


def compose(browser, digest, **fields: object):
    page = "/bulletins/new"
    shown = browser.get(page).text
    form = {
        "csrf_token": form_token(shown),
        "request_id": re.search(r'name="request_id" value="([^"]+)"', shown)[1],
        "unit_id": PROVINCE,
        "version": "0",
        "title": "Tiêm phòng",
        "text": "Kính mời bà con.\r\nThứ Bảy này.",
        "bulletin_class": "ordinary",
        "asset_digest": digest,
        "where": "some",
        "unit": [COMMUNE],
        "deadline_day": f"{DUE.astimezone(LOCAL):%d/%m/%Y}",
        "deadline_time": "17:00",
        "then": "submit",
    }
    return browser.post(page, data={**form, **fields})


def test_a_bulletin_goes_from_the_form_through_approval_to_the_inbox(office):
    writer, editor = office.browser("writer"), office.browser("editor")
    page = compose(writer, office.digest).location
    assert "Chờ duyệt" in writer.get(page).text
    assert "Duyệt</button>" not in writer.get(page).text
    listed = editor.get("/bulletins").text
    assert "Chờ bạn duyệt" in listed
    own = posted(writer, page, f"{page}/approve", version="1")
    assert own.status_code == 422
    assert "không được tự duyệt" in own.text
    assert posted(editor, page, f"{page}/approve", version="1").status_code == 303
    assert posted(writer, page, f"{page}/send", version="1").status_code == 303
    officer = office.browser("commune-officer")
    assert '<b class="count"' in officer.get("/").text
    assert officer.get("/bulletins").location == f"/units/{COMMUNE}/inbox"
    inbox = officer.get(f"/units/{COMMUNE}/inbox").text
    assert "Tiêm phòng" in inbox
    assert re.search(r"còn [23] ngày \d+ giờ", inbox)
    letter = f"/units/{COMMUNE}/inbox/{page.rsplit('/', 1)[1]}"
    shown = officer.get(letter).text
    assert "Thứ Bảy này." in shown
    times = {"local_start": "sáng", "first_day": f"{LATER:%d/%m/%Y}", "recurrence": "once"}
    wrong = posted(officer, letter, f"{letter}/take", **times)
    assert wrong.status_code == 422
    assert "Hãy ghi giờ và phút" in at_its_field(wrong.text, "local_start")
    assert 'value="sáng"' in wrong.text
    times["local_start"] = "05:30"
    assert posted(officer, letter, f"{letter}/take", **times).status_code == 303
    assert "Nhận phát" in writer.get(page).text
    assert '<b class="count"' not in officer.get("/").text
    with office.sessions.begin() as db:
        assert db.query(SlotRow).one().unit_id == COMMUNE
    assert officer.get(page).status_code == 403
    assert office.browser("elsewhere").get(letter).status_code == 403


def test_where_a_bulletin_clashes_the_next_free_time_is_offered_and_taken_with_a_press(office):
    both = [sent(office, request_id=f"bulletin-0000000{number}") for number in (1, 2)]
    letters = [f"/units/{COMMUNE}/inbox/{bulletin}" for bulletin in both]
    officer, program = office.browser("commune-officer"), office.program("commune-officer")
    times = {"local_start": "05:30", "first_day": f"{LATER:%d/%m/%Y}", "recurrence": "once"}
    assert posted(officer, letters[0], f"{letters[0]}/take", **times).status_code == 303
    clash = posted(officer, letters[1], f"{letters[1]}/take", **times)
    assert clash.status_code == 409
    assert "Trùng giờ với" in at_its_field(clash.text, "local_start")
    (at,) = re.findall(r'name="offer" value="([^"]+)"', clash.text)
    asked = {**times, "first_day": f"{LATER:%Y-%m-%d}"}
    told = program.ask("POST", f"{letters[1]}/take", json=asked)
    assert [one["kind"] for one in told.json["offers"]] == ["next-gap"]
    assert told.json["offers"][0]["changes"] == {"local_start": at}
    taken = posted(officer, letters[1], f"{letters[1]}/take", **times, offer=at)
    assert taken.status_code == 303
    with office.sessions.begin() as db:
        starts = sorted(f"{row.local_start:%H:%M:%S}" for row in db.query(SlotRow))
    assert starts == ["05:30:00", at]


def test_what_was_typed_is_kept_with_what_is_wrong_at_its_field(site):
    browser = site.browser("top")
    answer = compose(browser, site.digest, deadline_day="mai")
    assert answer.status_code == 422
    assert "Hãy ghi thời hạn gồm ngày và giờ" in at_its_field(answer.text, "deadline")
    assert 'value="mai"' in answer.text
    nobody = compose(browser, site.digest, unit=[])
    assert nobody.status_code == 422
    assert "ít nhất một xã" in at_its_field(nobody.text, "units")
    undecided = compose(browser, site.digest, bulletin_class="emergency")
    assert "quyết định" in at_its_field(undecided.text, "decision_number")
    unsounded = compose(browser, "")
    assert at_its_field(unsounded.text, "assets")
    with site.sessions.begin() as db:
        assert db.query(BulletinRow).count() == 0


def test_the_same_form_sent_twice_is_one_bulletin_and_an_old_one_changes_nothing(site):
    browser = site.browser("top")
    once = compose(browser, site.digest, request_id="bulletin-7", then="keep").location
    assert compose(browser, site.digest, request_id="bulletin-7", then="keep").location == once
    edit = {"title": "Sửa", "asset_digest": site.digest, "where": "all", "then": "keep"}
    page = f"{once}/edit"
    assert posted(browser, page, page, version="1", **edit).status_code == 303
    stale = posted(browser, page, page, version="1", **edit)
    assert stale.status_code == 409
    assert "Người khác vừa sửa bản tin" in stale.text


def test_a_decline_needs_its_reason_and_shows_up_above(office):
    bulletin = sent(office)
    officer = office.browser("commune-officer")
    letter = f"/units/{COMMUNE}/inbox/{bulletin}"
    unreasoned = posted(officer, letter, f"{letter}/decline", reason=" ")
    assert unreasoned.status_code == 422
    assert "lý do" in at_its_field(unreasoned.text, "reason")
    assert posted(officer, letter, f"{letter}/decline", reason="Trùng lễ hội").status_code == 303
    writer = office.browser("writer")
    assert "Trùng lễ hội" in writer.get(f"/bulletins/{bulletin}").text
    only = writer.get(f"/bulletins/{bulletin}?answer=waiting").text
    assert f'id="line-{OTHER}"' in only
    assert f'id="line-{COMMUNE}"' not in only
    withdrawn = posted(writer, "/bulletins", f"/bulletins/{bulletin}/withdraw", version="1")
    assert withdrawn.status_code == 303
    assert "Đã rút" in office.browser("elsewhere").get(f"/units/{OTHER}/inbox").text
