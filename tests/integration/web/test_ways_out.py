"""Calendars, the week on paper and spreadsheets, from the page to what another program reads."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO

import pytest
from icalendar import Calendar
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from server.domain.errors import ExportRefusedError, UnknownThingError
from server.domain.recurrence import LOCAL, local_day
from server.services import exporting, scheduling, subscriptions
from server.services.exporting import Whose
from server.store.models import (
    AsRunRow,
    AssetRow,
    AuditRow,
    CalendarAddressRow,
    SlotRow,
    SlotTargetRow,
    UserRow,
)
from tests.factories.claims import NOON
from tests.factories.pages import CLUSTERS, COMMUNE, OTHER, Site, form_token
from tests.factories.provinces import a_new_slot
from tests.factories.units import OPERATOR, PROVINCE

NOW = datetime.now(UTC)
TODAY = local_day(NOW)
FIRST = TODAY + timedelta(days=1)
LAST = FIRST + timedelta(days=6)
PAGE = f"/units/{COMMUNE}/exports"


def add_slot(site: Site, **changed: object):
    wanted = {"assets": (site.digest,), "length_s": None, "first_day": FIRST, **changed}
    with site.sessions.begin() as db:
        return scheduling.add_slot(
            db, a_new_slot(**wanted), now=NOW, actor=OPERATOR, keyring=site.keyring
        )


def an_address(browser, unit_id: str = COMMUNE) -> str:
    """Make an address on the page, and read it there."""
    page = f"/units/{unit_id}/exports"
    token = form_token(browser.get(page).text)
    made = browser.post(f"/units/{unit_id}/calendar", data={"csrf_token": token})
    assert made.status_code == 303
    shown = browser.get(page).text
    return shown.partition('id="address" readonly value="')[2].partition('"')[0]


def path_of(address: str) -> str:
    return "/calendar/" + address.rpartition("/")[2]


def summaries(answer) -> list[str]:
    return sorted(str(one["SUMMARY"]) for one in Calendar.from_ical(answer.data).walk("VEVENT"))


def test_a_calendar_program_reads_what_is_heard_without_logging_in(any_site):
    add_slot(any_site, title="Bản tin của xã")
    with any_site.sessions.begin() as db:
        db.get(AssetRow, any_site.digest).unit_id = PROVINCE
    upper = {"unit_id": PROVINCE, "local_start": time(6)}
    add_slot(any_site, title="Thời sự tỉnh", units=(COMMUNE,), **upper)
    add_slot(any_site, title="Chỉ cho xã khác", units=(OTHER,), **upper)
    address = an_address(any_site.browser("viewer"))
    assert address.startswith(any_site.settings.address)
    answer = any_site.browser().get(path_of(address))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert summaries(answer) == ["Bản tin của xã", "Thời sự tỉnh"]
    logged_in = any_site.browser("viewer").get(f"/units/{COMMUNE}/calendar.ics")
    assert logged_in.data == answer.data
    assert "attachment" in logged_in.headers["Content-Disposition"]


def test_a_program_that_has_it_already_is_told_so(site):
    add_slot(site)
    path = path_of(an_address(site.browser("viewer")))
    program = site.browser()
    first = program.get(path)
    known = {"If-None-Match": first.headers["ETag"]}
    again = program.get(path, headers=known)
    assert (again.status_code, again.data) == (304, b"")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert program.get(path, headers=since).status_code == 304
    add_slot(site, title="Thêm", local_start=time(9))
    assert program.get(path, headers=known).status_code == 200


def test_the_address_is_shown_once_and_kept_only_as_a_hash(site):
    browser = site.browser("viewer")
    secret = path_of(an_address(browser)).removeprefix("/calendar/").removesuffix(".ics")
    assert len(secret) >= 43
    assert secret not in browser.get(PAGE).text
    with site.sessions.begin() as db:
        (row,) = db.query(CalendarAddressRow).all()
        assert secret not in row.secret_digest
        assert [one.action for one in db.query(AuditRow).filter_by(actor="viewer")] == [
            "make-calendar-address"
        ]


def test_a_new_address_ends_the_one_before_and_revoking_ends_it_too(any_site):
    browser, program = any_site.browser("viewer"), any_site.browser()
    first, second = path_of(an_address(browser)), path_of(an_address(browser))
    assert program.get(first).status_code == 404
    assert program.get(second).status_code == 200
    for _ in range(2):  # twice is once
        token = form_token(browser.get(PAGE).text)
        answer = browser.post(f"/units/{COMMUNE}/calendar/revoke", data={"csrf_token": token})
        assert answer.status_code == 303
    assert program.get(second).status_code == 404


def test_an_address_is_worth_nothing_to_who_may_see_the_unit_no_more(site):
    path = path_of(an_address(site.browser("viewer")))
    with site.sessions.begin() as db:
        db.execute(update(UserRow).where(UserRow.username == "viewer").values(active=False))
    assert site.browser().get(path).status_code == 404
    with site.sessions.begin() as db:
        user = db.query(UserRow).filter_by(username="viewer").one()
        user.active = True
        user.grants.clear()
    assert site.browser().get(path).status_code == 404


def test_two_people_have_addresses_of_their_own(site):
    first = path_of(an_address(site.browser("viewer")))
    second = path_of(an_address(site.browser("broadcaster")))
    assert first != second
    assert {site.browser().get(path).status_code for path in (first, second)} == {200}


def test_guessing_addresses_is_slowed_down(site):
    program = site.browser()
    guesses = [program.get(f"/calendar/{number}.ics").status_code for number in range(22)]
    assert guesses[:20] == [404] * 20
    assert guesses[-1] == 429


def test_one_address_cannot_be_read_without_end(site):
    path = path_of(an_address(site.browser("viewer")))
    readings = [site.browser().get(path).status_code for _ in range(32)]
    assert readings[:30] == [200] * 30
    assert readings[-1] == 429


def test_a_withdrawn_slot_is_told_as_cancelled_for_a_while(site):
    row = add_slot(site)
    with site.sessions.begin() as db:
        scheduling.withdraw_slot(db, row.slot_id, now=NOW, actor=OPERATOR, keyring=site.keyring)
    answer = site.browser("viewer").get(f"/units/{COMMUNE}/calendar.ics")
    (event,) = Calendar.from_ical(answer.data).walk("VEVENT")
    assert event["STATUS"] == "CANCELLED"
    with site.sessions.begin() as db:
        facts = {"whose": Whose.OWN, "now": NOW, "actor": OPERATOR}
        later = NOW + timedelta(seconds=1)
        assert exporting.planned(db, COMMUNE, **facts).slots == ()
        assert exporting.planned(db, COMMUNE, withdrawn_since=later, **facts).slots == ()


WAYS = (
    "exports",
    "week",
    "calendar.ics",
    "exports/slots.csv",
    "exports/occurrences.xlsx",
    "exports/as-run.csv",
)


def test_who_may_see_a_unit_may_take_it_elsewhere_and_nobody_else(site):
    own, stranger, nobody = site.browser("viewer"), site.browser("elsewhere"), site.browser()
    for way in WAYS:
        path = f"/units/{COMMUNE}/{way}"
        assert own.get(path, buffered=True).status_code == 200, way
        assert stranger.get(path).status_code == 403, way
        assert nobody.get(path).status_code == 303, way
    token = form_token(stranger.get(f"/units/{OTHER}/exports").text)
    refused = stranger.post(f"/units/{COMMUNE}/calendar", data={"csrf_token": token})
    assert refused.status_code == 403


def read_csv(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(answer.data.decode("utf-8-sig").splitlines()))


def read_xlsx(answer) -> list[dict[str, object]]:
    assert answer.status_code == 200, answer.text
    book = CalamineWorkbook.from_filelike(BytesIO(answer.data))
    headings, *rows = book.get_sheet_by_index(0).to_python()
    return [dict(zip(headings, row, strict=True)) for row in rows]


def test_coming_broadcasts_go_into_both_kinds_of_sheets(site):
    add_slot(site, title="=Bản tin", local_start=time(23, 59, 30))
    browser = site.browser("viewer")
    path = f"{PAGE}/occurrences.%s?from={FIRST:%d/%m/%Y}&until={LAST:%d/%m/%Y}"
    answer = browser.get(path % "csv", buffered=True)
    name = f"lich-phat_{COMMUNE}_{FIRST}_{LAST}.csv"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
    rows = read_csv(answer)
    assert [row["Ngày"] for row in rows] == [f"{FIRST + timedelta(days=n)}" for n in range(7)]
    assert {row["Tiêu đề"] for row in rows} == {"'=Bản tin"}
    assert {row["Nơi phát"] for row in rows} == {f"Xã {COMMUNE}"}
    cells = read_xlsx(browser.get(path % "xlsx", buffered=True))
    assert [cell["Ngày"] for cell in cells] == [FIRST + timedelta(days=n) for n in range(7)]
    assert cells[0]["Bắt đầu lúc"] == time(23, 59, 30)
    ends = datetime.combine(FIRST + timedelta(days=1), time(0, 0, 30))
    assert cells[0]["Kết thúc lúc"] == ends
    assert cells[0]["Tiêu đề"] == "=Bản tin"


def test_slots_go_out_of_one_unit_or_of_all_under_it(site):
    with site.sessions.begin() as db:
        db.get(AssetRow, site.digest).unit_id = PROVINCE
    add_slot(site, title="Của xã")
    add_slot(site, title="Của xã khác", unit_id=OTHER, units=(OTHER,))
    browser = site.browser("top")
    path = f"/units/{PROVINCE}/exports/slots.xlsx?whose="
    assert read_xlsx(browser.get(path + "own", buffered=True)) == []
    under = read_xlsx(browser.get(path + "under", buffered=True))
    assert sorted(row["Tiêu đề"] for row in under) == ["Của xã", "Của xã khác"]
    assert under[0]["Từ ngày"] == FIRST
    assert under[0]["Thời lượng"] == timedelta(minutes=1)
    assert under[0]["Âm thanh"] == "Bản tin"


def test_records_go_out_with_what_was_heard_and_why_not(any_site):
    add_records(any_site)
    day = f"{local_day(NOON):%d/%m/%Y}"
    path = f"{PAGE}/as-run.csv?from={day}&until={day}"
    rows = read_csv(any_site.browser("viewer").get(path, buffered=True))
    assert [row["Kết quả"] for row in rows] == ["Đã phát hết", "Không phát được"]
    assert rows[0]["Bắt đầu lúc"] == f"{NOON.astimezone(LOCAL):%H:%M:%S}"
    assert rows[0]["Thời lượng đã phát"] == "0:00:07"
    assert rows[1]["Bắt đầu lúc"] == rows[1]["Thời lượng đã phát"] == ""
    assert rows[1]["Lý do"] == "Cụm loa không báo lại"
    one = read_csv(any_site.browser("viewer").get(f"{path}&cluster={CLUSTERS[1]}", buffered=True))
    assert [row["Cụm loa"] for row in one] == [f"Cụm {CLUSTERS[1]}"]


def add_records(site: Site) -> None:
    heard = {
        "start": NOON.isoformat(),
        "end": (NOON + timedelta(seconds=7)).isoformat(),
        "position_s": "0.0",
    }
    facts = {"claim_id": "b-1", "unit_id": COMMUNE, "recorded_at": NOON + timedelta(minutes=1)}
    with site.sessions.begin() as db:
        db.add(
            AsRunRow(
                cluster_id=CLUSTERS[0],
                outcome="played",
                reason="",
                start=NOON,
                end=NOON + timedelta(seconds=7),
                segments={"heard": [heard]},
                source="node",
                **facts,
            )
        )
        for cluster in (CLUSTERS[1], "xa-2-c1"):
            db.add(
                AsRunRow(
                    cluster_id=cluster,
                    outcome="missed",
                    reason="no-report",
                    segments={"heard": []},
                    source="server",
                    **facts,
                )
            )


REFUSED = (
    ("from=22/11/2026&until=21/11/2026", "Ngày kết thúc trước ngày bắt đầu"),
    ("from=22/11/2026&until=31/12/2027", "tối đa 400 ngày"),
    ("from=mai", "Hãy ghi ngày theo dạng"),
)


def test_what_cannot_be_given_is_told_on_the_page_and_what_was_typed_is_kept(site):
    browser = site.browser("viewer")
    for days, sentence in REFUSED:
        for what in ("occurrences", "as-run"):
            answer = browser.get(f"{PAGE}/{what}.csv?{days}")
            assert answer.status_code == 422
            assert sentence in answer.text
            assert f'value="{days.partition("from=")[2].partition("&")[0]}"' in answer.text


def test_more_rows_than_are_given_out_are_refused_and_not_cut_off(site):
    slots = [add_slot(site, title=f"Số {hour}", local_start=time(hour)) for hour in range(3)]
    add_records(site)
    with site.sessions.begin() as db:
        facts = {"now": NOW, "actor": OPERATOR}
        found = exporting.planned(db, COMMUNE, whose=Whose.OWN, **facts)
        days = exporting.stretch(FIRST, FIRST)
        assert len(exporting.occurrences(found.slots, *days, most=len(slots))) == len(slots)
        with pytest.raises(ExportRefusedError, match="too-many-rows"):
            exporting.occurrences(found.slots, *days, most=len(slots) - 1)
        day = exporting.stretch(local_day(NOON), local_day(NOON))
        span = {"since": day[0], "until": day[1], **facts}
        assert len(exporting.sounded(db, COMMUNE, most=2, **span)) == 2
        with pytest.raises(ExportRefusedError, match="too-many-rows"):
            exporting.sounded(db, COMMUNE, most=1, **span)


def test_the_week_shows_each_day_and_where_it_is_heard(site):
    add_slot(site, title="Nhắc việc", units=(), clusters=CLUSTERS, bulletin_class="priority")
    monday = FIRST + timedelta(days=7 - FIRST.weekday())
    page = site.browser("viewer").get(f"/units/{COMMUNE}/week?day={monday}").text
    assert f"Từ thứ Hai {monday:%d/%m/%Y} đến Chủ Nhật" in page
    assert page.count("<strong>Nhắc việc</strong>") == 14  # in the grid, and in the list for phones
    assert "Thôn Đoài" in page
    assert "Ưu tiên" in page
    assert (
        "Chưa có lịch phát"
        in site.browser("viewer").get(f"/units/{COMMUNE}/week?day=2020-01-01").text
    )


def a_relay_row(minute: int) -> SlotRow:
    """Make the row of a relay of a minute each day, which needs no file."""
    return SlotRow(
        slot_id=f"s-{minute}",
        unit_id=COMMUNE,
        title="Ngắn",
        bulletin_class="ordinary",
        content_kind="relay",
        relay_url="https://radio.example/vov1",
        recurrence="daily",
        local_start=time(5, minute),
        duration_s=60.0,
        first_day=FIRST,
        created_at=NOW,
        created_by="ai-do",
        targets=[SlotTargetRow(kind="unit", ref=COMMUNE)],
    )


def test_a_week_with_much_in_it_is_a_list(site):
    with site.sessions.begin() as db:
        db.add_all(a_relay_row(minute) for minute in range(0, 50, 2))
    monday = FIRST + timedelta(days=7 - FIRST.weekday())
    page = site.browser("viewer").get(f"/units/{COMMUNE}/week?day={monday}").text
    assert 'class="week-grid"' not in page
    assert page.count("<strong>Ngắn</strong>") == 7 * 25


def test_the_pages_of_others_lead_here_with_what_was_looked_at(site):
    browser = site.browser("viewer")
    for page in (f"/units/{COMMUNE}/timeline", f"/units/{COMMUNE}/slots"):
        assert f'href="{PAGE}' in browser.get(page).text
    day = date(2026, 11, 21)
    link = f"/exports?what=as-run&from=21/11/2026&until=21/11/2026&cluster={CLUSTERS[0]}"
    shown = browser.get(f"/as-run?day={day}&cluster={CLUSTERS[0]}").text
    assert link.replace("&", "&amp;") in shown
    answer = browser.get(link)
    assert answer.status_code == 303
    page = browser.get(answer.location).text
    assert answer.location.startswith(PAGE)
    assert 'value="21/11/2026"' in page
    assert f'name="cluster" value="{CLUSTERS[0]}"' in page


def test_programs_are_told_when_slots_come(site):
    slot = add_slot(site, local_start=time(5, 30)).slot_id
    program = site.program("viewer")
    start, end = exporting.stretch(FIRST, LAST)
    span = f"from={start:%Y-%m-%dT%H:%M:%SZ}&until={end:%Y-%m-%dT%H:%M:%SZ}"
    answer = program.ask("GET", f"/units/{COMMUNE}/occurrences?{span}")
    assert answer.status_code == 200, answer.text
    found = answer.json["occurrences"]
    assert len(found) == 7
    assert found[0]["claim_id"].startswith(slot)
    assert found[0]["version"] == 1
    assert datetime.fromisoformat(found[0]["start"]) == start + timedelta(hours=5, minutes=30)
    for wrong, status in (
        (f"/units/{COMMUNE}/occurrences", 422),
        (f"/units/{COMMUNE}/occurrences?from=2026-01-01T00:00:00Z&until=2028-01-01T00:00:00Z", 422),
        (f"/units/nowhere/occurrences?{span}", 404),
    ):
        refused = program.ask("GET", wrong)
        assert (refused.status_code, refused.mimetype) == (status, "application/problem+json")
    assert (
        site.program("elsewhere").ask("GET", f"/units/{COMMUNE}/occurrences?{span}").status_code
        == 403
    )


def test_an_address_of_nobody_who_logs_in_is_not_made(site):
    with site.sessions.begin() as db, pytest.raises(UnknownThingError):
        subscriptions.make_address(db, COMMUNE, now=NOW, actor=OPERATOR)
