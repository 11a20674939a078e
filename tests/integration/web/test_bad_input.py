"""What cannot be saved is told in Vietnamese at its field, on page and API alike, and is not."""

import html
import re
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import insert

from server.domain.clashes import Clash, all_days
from server.domain.day_sets import Days
from server.http.fields import MOST_TOLD, unreadable
from server.store.models import SlotRow, SlotTargetRow, UnitEdgeRow, UnitRow
from tests.factories.claims import NOON
from tests.factories.contents import contents
from tests.factories.pages import COMMUNE, OTHER, Site, at_its_field, form_token
from tests.factories.slots import an_occupant
from tests.factories.units import PROVINCE

DAY = (datetime.now(UTC) + timedelta(days=400)).date()
BEFORE = DAY - timedelta(days=1)
GONE = datetime.now(UTC).date() - timedelta(days=3)

# What is asked of the API; what is typed in the form; the field; words of the sentence.
SLOTS = (
    (
        {"recurrence": "rrule", "pattern": "FREQ=SECONDLY"},
        {"recurrence": "rrule", "rrule": "FREQ=SECONDLY"},
        "pattern",
        "nhiều nhất mỗi ngày một lần",
    ),
    (
        {"recurrence": "rrule", "pattern": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"},
        {"recurrence": "rrule", "rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"},
        "recurrence",
        "không bao giờ phát",
    ),
    (
        {"recurrence": "rrule", "pattern": "chủ nhật"},
        {"recurrence": "rrule", "rrule": "chủ nhật"},
        "pattern",
        "Không dùng được phần này",
    ),
    (
        {"recurrence": "monthly", "pattern": "BYMONTHDAY=32"},
        {"recurrence": "monthly", "month_by": "day", "month_day": "32"},
        "pattern",
        "BYMONTHDAY",
    ),
    (
        {"recurrence": "lunar", "pattern": "DAY=31"},
        {"recurrence": "lunar", "lunar_day": "31"},
        "pattern",
        "ngày âm lịch từ 1 đến 30",
    ),
    (
        {"recurrence": "weekly", "weekdays": 0},
        {"recurrence": "weekly", "weekday": []},
        "weekdays",
        "ít nhất một ngày trong tuần",
    ),
    (
        {"last_day": BEFORE.isoformat()},
        {"last_day": f"{BEFORE:%d/%m/%Y}"},
        "last_day",
        "trước ngày bắt đầu",
    ),
    (
        {"recurrence": "once", "first_day": GONE.isoformat()},
        {"recurrence": "once", "first_day": f"{GONE:%d/%m/%Y}"},
        "first_day",
        "đã qua",
    ),
    ({"first_day": "2027-02-31"}, {"first_day": "31/02/2027"}, "first_day", "ngày/tháng/năm"),
    ({"local_start": "25:00"}, {"local_start": "25:00"}, "local_start", "giờ và phút"),
    (
        {"units": ["xa-da-giai-the"]},
        {"where": "some", "unit": "xa-da-giai-the"},
        "units",
        "xa-da-giai-the",
    ),
    ({"units": []}, {"where": "some"}, "units", "Chưa chọn cụm loa"),
    ({"title": ""}, {"title": ""}, "title", "200 ký tự"),
    ({"length_s": 0}, None, "length_s", "một giây"),
    ({"local_start": "02:00:00Z"}, None, "local_start", "giờ và phút"),
    ({"gain_db": 3}, {"gain_db": "3"}, "gain_db", "-60 đến 0"),
    ({"gain_db": -61}, {"gain_db": "-61"}, "gain_db", "-60 đến 0"),
    ({"gain_db": "to"}, {"gain_db": "to"}, "gain_db", "-60 đến 0"),
    ({"colour": "red"}, None, "colour", "không dùng được"),
)
HOURS = (
    (
        {"owner_rank": 0},
        {"owner": "level-0"},
        "owner_id",
        "Chỉ có thể giao",
    ),
    ({"owner_id": OTHER}, {"owner": f"unit-{OTHER}"}, "owner_id", "Chỉ có thể giao"),
    ({"local_start": "25:00"}, {"local_start": "25:00"}, "local_start", "giờ và phút"),
    ({"local_end": "6 rưỡi"}, {"local_end": "6 rưỡi"}, "local_end", "giờ và phút"),
    ({"weekdays": 0}, {"weekday": []}, "weekdays", "ít nhất một ngày"),
    ({"session_limit_s": 5}, {"session_limit_min": "0"}, "session_limit_s", "từ 1 đến 1440"),
    ({"volume_ceiling_db": 6}, {"volume_ceiling_db": "6"}, "volume_ceiling_db", "-60 đến 0"),
)


def told(answer, name: str) -> str:
    assert answer.mimetype == "application/problem+json"
    found = [one["detail"] for one in answer.json["findings"] if one.get("field") == name]
    assert found, answer.json
    assert found[0] in answer.json["detail_by_language"]["vi"]
    return found[0]


def a_slot(site: Site, **changed: object):
    return {
        "unit_id": COMMUNE,
        "title": "Bản tin",
        "assets": [site.digest],
        "recurrence": "daily",
        "local_start": "05:30",
        "first_day": DAY.isoformat(),
        "units": [COMMUNE],
        **changed,
    }


def a_slot_form(site: Site, **changed: object):
    return {
        "title": "Bản tin",
        "asset": [site.digest],
        "recurrence": "daily",
        "local_start": "05:30",
        "first_day": f"{DAY:%d/%m/%Y}",
        "where": "all",
        **changed,
    }


def hours(**changed: object):
    return {"unit_id": COMMUNE, "local_start": "05:00", "local_end": "22:00", **changed}


def hours_form(**changed: object):
    return {"weekday": list("0123456"), "local_start": "05:00", "local_end": "22:00", **changed}


def crowd(site: Site, many: int) -> None:
    """Put slots into one another's way, beside every check."""
    slots = [
        {
            "slot_id": f"s-{number:05}",
            "unit_id": COMMUNE,
            "title": f"Bản tin {number}",
            "bulletin_class": "ordinary",
            "content_kind": "live",
            "recurrence": "daily",
            "local_start": time(5, 30),
            "duration_s": 600.0,
            "first_day": GONE,
            "excluded_days": [],
            "languages": [],
            "overrides": [],
            "created_at": NOON,
            "created_by": "ai-do",
        }
        for number in range(many)
    ]
    targets = [{"slot_id": one["slot_id"], "kind": "unit", "ref": COMMUNE} for one in slots]
    with site.sessions.begin() as db:
        db.execute(insert(SlotRow), slots)
        db.execute(insert(SlotTargetRow), targets)


def test_what_is_wrong_with_a_slot_is_told_at_its_field_and_nothing_is_saved(site: Site):
    program, browser = site.program("commune-officer"), site.browser("commune-officer")
    page = f"/units/{COMMUNE}/slots/new"
    token = form_token(browser.get(page).text)
    before = contents(site.engine)
    for asked, typed, name, words in SLOTS:
        answer = program.ask("POST", "/slots", json=a_slot(site, **asked))
        assert answer.status_code == 422, asked
        assert words in told(answer, name), asked
        if typed is not None:
            form = {**a_slot_form(site, **typed), "csrf_token": token}
            shown = browser.post(page, data=form)
            assert shown.status_code == 422, typed
            assert words in at_its_field(shown.text, name), typed
    assert contents(site.engine) == before


def test_what_is_wrong_with_hours_is_told_at_its_field_and_nothing_is_saved(site: Site):
    program, browser = site.program("commune-officer"), site.browser("commune-officer")
    page = f"/units/{COMMUNE}/frames"
    token = form_token(browser.get(page).text)
    before = contents(site.engine)
    for asked, typed, name, words in HOURS:
        answer = program.ask("POST", "/frames", json=hours(**asked))
        assert answer.status_code == 422, asked
        assert words in told(answer, name), asked
        shown = browser.post(page, data={**hours_form(**typed), "csrf_token": token})
        assert shown.status_code == 422, typed
        assert words in at_its_field(shown.text, name), typed
    assert contents(site.engine) == before


def test_a_field_is_marked_for_eyes_and_screen_readers(site: Site):
    browser = site.browser("commune-officer")
    page = f"/units/{COMMUNE}/slots/new"
    form = a_slot_form(site, last_day=f"{BEFORE:%d/%m/%Y}")
    form["csrf_token"] = form_token(browser.get(page).text)
    shown = browser.post(page, data=form).text
    field = re.search(r'<input[^>]*id="last_day"[^>]*>', shown)[0]
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="last_day-wrong"' in field
    assert 'href="#last_day-wrong"' in shown


@pytest.mark.parametrize("unit_id", ["xa-khong-co", "xa-da-ket-thuc", "x" * 64])
def test_a_unit_that_is_unknown_or_has_ended_is_named_at_its_field(site: Site, unit_id: str):
    with site.sessions.begin() as db:
        ended = {"valid_from": BEFORE - timedelta(days=900), "valid_to": GONE}
        db.add(UnitRow(unit_id="xa-da-ket-thuc", name="Xã cũ", level_rank=1, **ended))
        db.flush()
        db.add(UnitEdgeRow(child_id="xa-da-ket-thuc", parent_id=PROVINCE, **ended))
    program, browser = site.program("top"), site.browser("top")
    before = contents(site.engine)
    for path, body in (("/slots", a_slot(site)), ("/frames", hours())):
        answer = program.ask("POST", path, json={**body, "unit_id": unit_id})
        assert answer.status_code == 404
        assert f"Hôm nay không có đơn vị “{unit_id}”" in told(answer, "unit_id")
    answer = program.ask("POST", "/slots", json=a_slot(site, unit_id=PROVINCE, units=[unit_id]))
    assert (answer.status_code, unit_id in told(answer, "units")) == (422, True)
    shown = browser.get(f"/units/{unit_id}/slots/new")
    assert shown.status_code == 404
    assert f"Hôm nay không có đơn vị “{unit_id}”" in html.unescape(shown.text)
    assert contents(site.engine) == before


def test_hours_above_ones_level_are_refused_and_nothing_is_saved(site: Site):
    program, browser = site.program("commune-officer"), site.browser("commune-officer")
    token = form_token(browser.get(f"/units/{COMMUNE}/frames").text)
    before = contents(site.engine)
    answer = program.ask("POST", "/frames", json=hours(unit_id=PROVINCE))
    assert (answer.status_code, answer.json["title"]) == (
        403,
        "Tài khoản của bạn không có quyền làm việc này ở đây.",
    )
    form = {**hours_form(), "csrf_token": token}
    shown = browser.post(f"/units/{PROVINCE}/frames", data=form)
    assert shown.status_code == 403
    assert "Tài khoản của bạn không có quyền làm việc này ở đây." in html.unescape(shown.text)
    assert contents(site.engine) == before


@pytest.mark.slow
def test_of_ten_thousand_clashes_twenty_are_named_and_the_others_counted(site: Site):
    crowd(site, 10_000)
    program, browser = site.program("top"), site.browser("top")
    page = f"/units/{COMMUNE}/slots/new"
    token = form_token(browser.get(page).text)
    before = contents(site.engine)
    answer = program.ask("POST", "/slots", json=a_slot(site))
    assert (answer.status_code, answer.json["clash_count"]) == (409, 10_000)
    assert (len(answer.json["clashes"]), len(answer.json["findings"])) == (20, 21)
    last = answer.json["findings"][-1]
    assert "9.980 khung giờ nữa" in last["detail"]
    assert "không tìm cách gỡ" in last["detail"]
    assert (last["field"], answer.json["offers"]) == ("local_start", [])
    assert len(answer.data) < 50_000
    shown = browser.post(page, data={**a_slot_form(site), "csrf_token": token})
    assert shown.status_code == 409
    assert "Trùng giờ với “Bản tin 0”" in at_its_field(shown.text, "local_start")
    assert shown.text.count("Trùng giờ với") == 21
    assert contents(site.engine) == before


def test_the_days_of_many_clashes_are_laid_together_before_they_are_counted():
    everywhen = Days(2026, (1 << 3650) - 1)
    other = an_occupant()
    found = [Clash(other.rule, other, everywhen, frozenset(), NOON)] * 10_000
    assert sum(1 for _ in all_days(found)) == 3650


def test_of_thousands_of_unreadable_fields_the_first_are_told(site: Site):
    found = unreadable({"json": {f"x{number}": ["no"] for number in range(5000)}})
    assert len(found) == MOST_TOLD
    strange = {f"x{number}": 1 for number in range(5000)}
    answer = site.program("top").ask("POST", "/slots", json=strange)
    assert answer.status_code == 422
    assert len(answer.json["findings"]) == MOST_TOLD
