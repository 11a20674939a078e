"""The hours of a unit, on the page and at the API."""

import re
from datetime import date, timedelta

import pytest

from tests.factories.pages import COMMUNE, OTHER, form_token
from tests.factories.units import PROVINCE

LATER = date.today() + timedelta(days=2)  # noqa: DTZ011 - any later day will do


def hours(unit_id: str = PROVINCE, **changed: object):
    boring = {"unit_id": unit_id, "kind": "quiet", "local_start": "22:00", "local_end": "05:00"}
    return {**boring, **changed}


def posted(browser, unit_id: str, path: str = "", **fields: object):
    page = f"/units/{unit_id}/frames"
    token = form_token(browser.get(page).text)
    form = {
        "kind": "frame",
        "weekday": [str(day) for day in range(7)],
        "local_start": "05:00",
        "local_end": "24:00",
        "owner": "",
        "session_limit_min": "",
        "volume_ceiling_db": "",
        "legal_reference": "",
        "csrf_token": token,
    }
    return browser.post(page + path, data={**form, **fields})


def test_hours_go_from_the_form_to_the_week_and_to_the_timeline(site):
    browser = site.browser("top")
    limits = {"session_limit_min": "30", "volume_ceiling_db": "-6", "owner": "level-1"}
    saved = posted(browser, PROVINCE, **limits, legal_reference="Quyết định 12/2026")
    assert saved.status_code == 303
    posted(browser, PROVINCE, kind="quiet", local_start="22:00", local_end="05:00")
    week = browser.get(f"/units/{COMMUNE}/frames").text
    for words in ("05:00–24:00", "do Tỉnh đặt", "Quyết định 12/2026", "30 phút", "-6 dB"):
        assert words in week, words
    assert week.count("<title>05:00–22:00 Xã xa-1</title>") == 7
    assert week.count("<title>22:00–24:00 Giờ yên tĩnh</title>") == 7
    assert week.count("<title>00:00–05:00 Giờ yên tĩnh</title>") == 7
    page = browser.get(f"/units/{COMMUNE}/slots/new").text
    slot = {
        "title": "Bản tin",
        "bulletin_class": "ordinary",
        "asset": site.digest,
        "recurrence": "daily",
        "local_start": "06:00",
        "first_day": f"{LATER:%d/%m/%Y}",
        "where": "all",
        "csrf_token": form_token(page),
    }
    assert browser.post(f"/units/{COMMUNE}/slots/new", data=slot).status_code == 303
    timeline = browser.get(f"/units/{COMMUNE}/timeline?day={LATER.isoformat()}").text
    assert "Giờ của cấp nào" in timeline
    assert "05:00–22:00 Xã xa-1" in timeline


def test_inherited_hours_are_shown_and_cannot_be_withdrawn_below(site):
    posted(site.browser("top"), PROVINCE)
    officer = site.browser("commune-officer")
    assert posted(officer, COMMUNE, kind="quiet", local_start="12:00", local_end="13:00").location
    page = officer.get(f"/units/{COMMUNE}/frames").text
    assert page.count("từ cấp trên") == 1
    assert page.count("Hủy giờ phát này") == 1
    assert "Đặt giờ phát" not in site.browser("viewer").get(f"/units/{COMMUNE}/frames").text
    assert officer.get(f"/units/{OTHER}/frames").status_code == 403


@pytest.mark.parametrize("page", ["frames", "escalation"])
def test_only_who_may_see_the_unit_above_is_led_there(site, page):
    above = f'href="/units/{PROVINCE}/{page}"'
    assert above in site.browser("top").get(f"/units/{COMMUNE}/{page}").text
    assert above not in site.browser("commune-officer").get(f"/units/{COMMUNE}/{page}").text
    assert site.browser("top").get(f"/units/{PROVINCE}/{page}").status_code == 200


def test_what_was_typed_is_kept_with_what_is_wrong(site):
    browser = site.browser("commune-officer")
    answer = posted(browser, COMMUNE, local_start="sáng", session_limit_min="lâu")
    assert answer.status_code == 422
    assert "Hãy ghi giờ và phút" in answer.text
    assert "Hãy ghi độ dài tối đa" in answer.text
    assert 'value="sáng"' in answer.text
    posted(site.browser("top"), PROVINCE, local_start="05:00", local_end="22:00")
    outside = posted(browser, COMMUNE, local_start="21:00", local_end="23:00")
    assert outside.status_code == 422
    assert "Thứ Hai 22:00–23:00 không thuộc thời gian cấp trên để mở" in outside.text


def test_slots_left_outside_are_named_and_it_is_asked_again(site):
    program, browser = site.program("top"), site.browser("top")
    slot = {
        "unit_id": COMMUNE,
        "title": "Bản tin sáng",
        "assets": [site.digest],
        "recurrence": "daily",
        "local_start": "05:30",
        "first_day": LATER.isoformat(),
        "units": [COMMUNE],
    }
    assert program.ask("POST", "/slots", json=slot).status_code == 201
    late = {"local_start": "06:00", "local_end": "07:00"}
    answer = posted(browser, PROVINCE, **late)
    assert answer.status_code == 409
    assert "05:30 Bản tin sáng (Xã xa-1)" in answer.text
    assert 'name="confirmed"' in answer.text
    assert posted(browser, PROVINCE, **late, confirmed="yes").status_code == 303
    early = posted(browser, PROVINCE, local_start="05:00", local_end="06:00")
    assert early.status_code == 303
    ids = re.findall(
        r"frames/(f-[0-9a-f]+)/withdraw", browser.get(f"/units/{PROVINCE}/frames").text
    )
    asked = posted(browser, PROVINCE, f"/{ids[0]}/withdraw")
    assert asked.status_code == 409
    assert "Vẫn hủy" in asked.text
    assert posted(browser, PROVINCE, f"/{ids[0]}/withdraw", confirmed="yes").status_code == 303


def test_a_program_lays_down_lists_and_withdraws_hours(any_site):
    program = any_site.program("top")
    made = program.ask("POST", "/frames", json=hours(kind="frame", local_end="24:00"))
    assert made.status_code == 201, made.json
    assert made.json["local_end"] == "00:00:00"
    (shown,) = program.ask("GET", f"/frames?unit_id={COMMUNE}").json["frames"]
    assert shown == made.json
    gone = program.ask("DELETE", f"/frames/{made.json['frame_id']}")
    assert gone.status_code == 200
    assert program.ask("GET", f"/frames?unit_id={COMMUNE}").json["frames"] == []
    assert program.ask("DELETE", "/frames/f-none").status_code == 404


@pytest.mark.parametrize(
    ("person", "unit_id", "status"),
    [
        ("admin", COMMUNE, 201),
        ("broadcaster", COMMUNE, 201),
        ("commune-officer", COMMUNE, 201),
        ("technician", COMMUNE, 403),
        ("viewer", COMMUNE, 403),
        ("elsewhere", COMMUNE, 403),
        ("commune-officer", PROVINCE, 403),
        ("top", COMMUNE, 201),
    ],
)
def test_each_role_lays_down_what_it_may(site, person, unit_id, status):
    answer = site.program(person).ask("POST", "/frames", json=hours(unit_id))
    assert answer.status_code == status, answer.json


def test_what_a_unit_may_not_lay_down_is_a_problem_with_findings(site):
    program = site.program("top")
    program.ask("POST", "/frames", json=hours())
    answer = program.ask("POST", "/frames", json=hours(COMMUNE, kind="frame"))
    assert (answer.status_code, answer.json["code"]) == (422, "frame-refused")
    assert [one["code"] for one in answer.json["findings"]] == ["frame-outside"]
    assert program.ask("POST", "/frames", json=hours(weekdays=128)).status_code == 422


def test_hours_are_changed_on_their_page_after_it_was_said_what_they_would_leave_outside(site):
    program, browser = site.program("top"), site.browser("top")
    frame = program.ask("POST", "/frames", json=hours(kind="frame", local_start="05:00")).json
    slot = {
        "unit_id": COMMUNE,
        "title": "Bản tin sáng",
        "assets": [site.digest],
        "recurrence": "daily",
        "local_start": "05:30",
        "first_day": LATER.isoformat(),
        "units": [COMMUNE],
    }
    assert program.ask("POST", "/slots", json=slot).status_code == 201
    page = f"/units/{PROVINCE}/frames/{frame['frame_id']}"
    assert page in browser.get(f"/units/{PROVINCE}/frames").text
    shown = browser.get(page).text
    assert 'value="05:00"' in shown
    version = re.search(r'name="version" value="([0-9a-f]+)"', shown)[1]
    path = f"/{frame['frame_id']}"
    late = {"local_start": "06:00", "local_end": "22:00", "version": version}
    asked = posted(browser, PROVINCE, path, **late)
    assert asked.status_code == 409
    assert "05:30 Bản tin sáng (Xã xa-1)" in asked.text
    assert program.ask("GET", f"/frames?unit_id={PROVINCE}").json["frames"] == [frame]
    wrong = posted(browser, PROVINCE, path, **{**late, "local_end": "tối"})
    assert wrong.status_code == 422
    assert 'id="local_end-wrong"' in wrong.text
    assert posted(browser, PROVINCE, path, **late, confirmed="yes").status_code == 303
    assert posted(browser, PROVINCE, path, **late).status_code == 409
    assert browser.get(f"/units/{PROVINCE}/frames/f-none").status_code == 404
    assert site.browser("viewer").get(page.replace(PROVINCE, COMMUNE)).status_code == 404


def test_hours_that_were_given_to_the_units_own_level_keep_it_when_their_page_is_saved(site):
    program, browser = site.program("top"), site.browser("top")
    given = hours(kind="frame", local_start="05:00", local_end="22:00", owner_rank=0)
    frame = program.ask("POST", "/frames", json=given).json
    page = browser.get(f"/units/{PROVINCE}/frames/{frame['frame_id']}").text
    (owner,) = re.findall(r'<option value="([^"]*)" selected>', page)
    kept = {"owner": owner, "version": frame["version"], "local_end": "21:00"}
    assert posted(browser, PROVINCE, f"/{frame['frame_id']}", **kept).status_code == 303
    (changed,) = program.ask("GET", f"/frames?unit_id={PROVINCE}").json["frames"]
    assert (changed["owner_rank"], changed["local_end"]) == (0, "21:00:00")


@pytest.mark.parametrize("digits", [20, 5000])
def test_a_level_or_weekday_of_very_many_digits_is_no_level_and_no_weekday(site, digits):
    browser = site.browser("top")
    assert posted(browser, PROVINCE, owner=f"level-{'9' * digits}").status_code == 422
    assert posted(browser, PROVINCE, weekday=["9" * digits]).status_code == 422


def test_a_program_changes_hours_that_it_has_seen(site):
    program = site.program("top")
    made = program.ask("POST", "/frames", json=hours()).json
    path = f"/frames/{made['frame_id']}"
    wanted = {**hours(local_end="04:00"), "version": made["version"]}
    changed = program.ask("PUT", path, json=wanted)
    assert (changed.status_code, changed.json["local_end"]) == (200, "04:00:00")
    again = program.ask("PUT", path, json=wanted)
    assert (again.status_code, again.json["code"]) == (409, "changed-meanwhile")
    officer = site.program("commune-officer")
    assert officer.ask("PUT", path, json=wanted).status_code == 403
