"""The pages without a browser: forms kept, refusals named, the way from form to announcement."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from protocol.messages import Alarms, NetworkKind, Telemetry
from server.domain.recurrence import local_day
from server.services import commissioning, reports, units
from server.store.models import AsRunRow, AssetRow, SlotRow
from server.web.dashboard.presenters import MOST_CARDS
from tests.factories.claims import NOON
from tests.factories.pages import CLUSTERS, COMMUNE, Site, an_asset_row, form_token
from tests.factories.units import OPERATOR, PROVINCE, a_cluster


def posted(browser, page, address, **fields: object):
    token = form_token(browser.get(page).text)
    return browser.post(address, data={"csrf_token": token, **fields})


def a_slot_form(site: Site, **changed: object):
    return {
        "title": "Bản tin sáng",
        "bulletin_class": "ordinary",
        "asset": [site.digest],
        "recurrence": "daily",
        "local_start": "05:30",
        "first_day": "22/11/2094",
        "last_day": "",
        "where": "all",
        **changed,
    }


def an_urgent_form(site: Site, **changed: object):
    return {
        "request_id": "0" * 32,
        "unit_id": COMMUNE,
        "title": "Cảnh báo lũ",
        "bulletin_class": "priority",
        "asset_digest": site.digest,
        "repeat": "2",
        "village": ",".join(CLUSTERS),
        **changed,
    }


def test_the_first_page_shows_the_clusters_that_the_person_may_see(site):
    page = site.browser("commune-officer").get("/").text
    assert "Cụm xa-1-c1" in page
    assert "Cụm xa-2-c1" not in page
    assert "Cụm xa-2-c1" in site.browser("top").get("/").text


def test_what_a_node_cannot_do_by_itself_is_shown_as_long_as_it_says_so(site):
    warning = "Đồng hồ chưa tin được"
    browser = site.browser("commune-officer")
    now = datetime.now(UTC)
    with site.sessions.begin() as db:
        node = {"node_id": "n-1", "cluster_id": CLUSTERS[0], "keyring": site.keyring}
        commissioning.commission(db, now=now, actor=OPERATOR, **node)
    assert warning not in browser.get("/").text
    for is_trusted in (False, True):
        with site.sessions.begin() as db:
            troubles = () if is_trusted else ("disk-full", "of-a-newer-node")
            word = Telemetry(at=NOON, clock_trusted=is_trusted, troubles=troubles)
            reports.take_in(db, "n-1", word, now=now)
        shown = browser.get("/clusters/list").text
        assert (warning in shown) is not is_trusted
        assert ("Bộ nhớ của thiết bị đã đầy" in shown) is not is_trusted
        assert ("of-a-newer-node" in shown) is not is_trusted


def test_what_is_amiss_in_a_box_is_shown_at_its_cluster_until_it_is_over(site):
    browser = site.browser("commune-officer")
    with site.sessions.begin() as db:
        node = {"node_id": "n-1", "cluster_id": CLUSTERS[0], "keyring": site.keyring}
        commissioning.commission(db, now=NOON, actor=OPERATOR, **node)
    for number, standing in enumerate([("door", "smoke"), ()]):
        with site.sessions.begin() as db:
            at = NOON + timedelta(minutes=number)
            word = Alarms(report_id=f"a-{number}", at=at, standing=standing)
            reports.take_in(db, "n-1", word, now=at)
        page = browser.get("/clusters/list").text
        assert ("Hộp thiết bị đang mở · " in page) is bool(standing)
        assert ("smoke · " in page) is bool(standing)


def test_how_a_machine_fares_is_shown_at_its_cluster_as_far_as_it_says(site):
    now = datetime.now(UTC)
    with site.sessions.begin() as db:
        node = {"node_id": "n-1", "cluster_id": CLUSTERS[0], "keyring": site.keyring}
        commissioning.commission(db, now=now, actor=OPERATOR, **node)
        word = Telemetry(
            at=now,
            network=NetworkKind.MOBILE,
            signal_dbm=-71.0,
            data_month_mb=1812.5,
            under_voltage=True,
        )
        reports.take_in(db, "n-1", word, now=now)
    page = site.browser("commune-officer").get("/clusters/list").text
    assert "Mạng di động · -71 dBm · 1,81 GB tháng này" in page
    assert "Nguồn điện yếu" in page


def test_a_slot_is_shown_as_it_is_changed_and_the_second_to_change_it_is_told(site):
    browser = site.browser("commune-officer")
    page = f"/units/{COMMUNE}/slots/new"
    lists = {"asset": [site.digest, site.digest], "local_end": "06:00", "start_mode": "wait"}
    days = {"recurrence": "monthly", "month_by": "weekday", "month_week": "-1"}
    form = a_slot_form(site, **lists, **days, month_weekday="SU", excluded_days="28/11/2094")
    assert posted(browser, page, page, **form).status_code == 303
    listed = browser.get(f"/units/{COMMUNE}/slots").text
    assert "2 tệp" in listed
    edit = re.search(r"/slots/s-[0-9a-f]+/edit", listed).group()
    shown = browser.get(edit).text
    assert shown.count(f'name="asset" value="{site.digest}"') == 2
    for value in ("05:30", "06:00", "28/11/2094", "Bản tin sáng"):
        assert f'value="{value}"' in shown
    assert re.search(r'name="start_mode" value="wait" checked', shown)
    assert re.search(r'name="month_by" value="weekday" checked', shown)
    change = form | {"version": "1", "title": "Bản tin mới", "local_end": "00:30"}
    assert posted(browser, edit, edit, **change).status_code == 303
    again = posted(browser, edit, edit, **change)
    assert again.status_code == 409
    assert "Hãy xem lại." in again.text
    assert "Bản tin mới" in browser.get(f"/units/{COMMUNE}/slots").text


def test_a_change_of_its_title_leaves_a_slot_as_long_as_its_files(site):
    browser, page = site.browser("commune-officer"), f"/units/{COMMUNE}/slots/new"
    with site.sessions.begin() as db:
        db.execute(update(AssetRow).values(duration_s=30.7))
    posted(browser, page, page, **a_slot_form(site, local_start="05:30:15"))
    listed = browser.get(f"/units/{COMMUNE}/slots").text
    assert "<strong>05:30:15</strong>" in listed
    edit = re.search(r"/slots/s-[0-9a-f]+/edit", listed).group()
    end = re.compile(r'name="local_end"[^>]* value="([^"]*)"')
    shown = end.search(browser.get(edit).text).group(1)
    kept = {"version": "1", "local_start": "05:30:15", "local_end": shown}
    change = a_slot_form(site, title="Bản tin mới", **kept)
    assert posted(browser, edit, edit, **change).status_code == 303
    with site.sessions.begin() as db:
        row = db.scalars(select(SlotRow)).one()
        assert (row.title, row.duration_s) == ("Bản tin mới", 30.7)
        row.duration_s = 20.5
    assert end.search(browser.get(edit).text).group(1) == "05:30:36"


def test_it_is_said_before_saving_how_files_fit_their_slot(site):
    browser = site.browser("commune-officer")
    fields = a_slot_form(site)
    ask = f"/units/{COMMUNE}/slots/coming"
    longer = fields | {"local_end": "05:40"}
    assert "ngắn hơn khung giờ" in browser.get(ask, query_string=longer).text
    assert "khung giờ" not in browser.get(ask, query_string=fields).text
    assert (
        "kết thúc vào hôm sau: kéo dài 23 giờ"
        in browser.get(ask, query_string=fields | {"local_end": "05:00"}).text
    )
    assert "hôm sau" not in browser.get(ask, query_string=fields | {"local_end": "24:00"}).text
    over = fields | {"local_end": "05:30:01"}
    assert "phần cuối đó sẽ không được phát" in browser.get(ask, query_string=over).text
    relay = {"content_kind": "relay", "relay_url": "https://dai.example/a.m3u8", "asset": []}
    saved = posted(
        browser,
        f"/units/{COMMUNE}/slots/new",
        f"/units/{COMMUNE}/slots/new",
        **fields | relay | {"local_end": "06:00"},
    )
    assert saved.status_code == 303


def test_what_saving_would_change_is_shown_alone_and_under_the_form_and_not_saved(site):
    browser = site.browser("commune-officer")
    page, ask = f"/units/{COMMUNE}/slots/new", f"/units/{COMMUNE}/slots/simulate"
    alone = posted(browser, page, f"{ask}?part=1", **a_slot_form(site))
    assert alone.status_code == 200
    assert "<form" not in alone.text
    assert "Nếu lưu: 2 cụm loa" in alone.text
    assert "Bản tin sáng" in alone.text
    longer = posted(browser, page, f"{ask}?part=1", **a_slot_form(site, local_end="05:30:50"))
    assert "Các tệp dài hơn khung giờ 10 giây: phần cuối đó sẽ không được phát." in longer.text
    assert "05:30:00–05:30:50" in longer.text
    whole = posted(browser, page, ask, **a_slot_form(site))
    assert "Nếu lưu: 2 cụm loa" in whole.text
    assert f'action="{page}"' in whole.text
    wrong = posted(browser, page, f"{ask}?part=1", **a_slot_form(site, local_start="giờ"))
    assert "Chưa lưu được" in wrong.text
    assert browser.get(f"/api/v1/slots?unit_id={COMMUNE}").json["slots"] == []
    viewer = site.browser("viewer")
    assert posted(viewer, "/", ask, **a_slot_form(site)).status_code == 403


def test_pieces_of_warnings_and_drills_are_not_offered_for_programmes(site):
    pieces = ("chime", "phrase", "drill-before", "drill-after")
    kept = {kind: f"{number:064x}" for number, kind in enumerate((*pieces, "warning"), 1)}
    with site.sessions.begin() as db:
        db.add_all(an_asset_row(digest, PROVINCE, kind) for kind, digest in kept.items())
    for page in (f"/units/{PROVINCE}/slots/new", "/bulletins/new"):
        shown = site.browser("top").get(page).text
        assert {kind for kind, digest in kept.items() if digest in shown} == {"warning"}


def test_a_slot_goes_from_the_form_to_the_timeline(site):
    browser = site.browser("commune-officer")
    page = f"/units/{COMMUNE}/slots/new"
    saved = posted(browser, page, page, **a_slot_form(site))
    assert saved.status_code == 303
    timeline = browser.get(saved.location).text
    assert "Bản tin sáng" in timeline
    assert "Thứ Hai, 22/11/2094" in timeline
    assert "05:30" in timeline


def test_a_clash_is_named_and_what_was_typed_is_kept(site):
    browser = site.browser("commune-officer")
    page = f"/units/{COMMUNE}/slots/new"
    posted(browser, page, page, **a_slot_form(site))
    again = posted(browser, page, page, **a_slot_form(site, title="Cái khác", weekday="3"))
    assert again.status_code == 409
    assert "Trùng giờ với “Bản tin sáng”" in again.text
    assert 'value="Cái khác"' in again.text
    assert f'value="{site.digest}"' in again.text


def test_what_cannot_be_read_is_told_in_words(site):
    browser = site.browser("commune-officer")
    page = f"/units/{COMMUNE}/slots/new"
    answer = posted(
        browser, page, page, **a_slot_form(site, local_start="sáng sớm", first_day="mai")
    )
    assert answer.status_code == 422
    assert "Hãy ghi giờ và phút" in answer.text
    assert "Hãy ghi ngày theo dạng" in answer.text
    empty = posted(browser, page, page, **a_slot_form(site, asset=[]))
    assert "Chưa có âm thanh" in empty.text


def test_who_may_not_schedule_gets_a_page_that_says_so(site):
    answer = site.browser("viewer").get(f"/units/{COMMUNE}/slots/new")
    assert answer.status_code == 403
    assert "không có quyền" in answer.text


def test_an_announcement_is_confirmed_before_it_is_sent_and_sent_once(site):
    browser = site.browser("commune-officer")
    form = an_urgent_form(site)
    asked = posted(browser, "/urgent", "/urgent/confirm", **form)
    assert asked.status_code == 200
    assert "200" in re.search(r"người dân</dt><dd>([^<]+)", asked.text)[1]
    assert "2 phút 01 giây" in asked.text  # twice a minute, and a second between
    assert browser.get("/api/v1/broadcasts").json["broadcasts"] == []
    first = posted(browser, "/urgent", "/urgent", **form)
    second = posted(browser, "/urgent", "/urgent", **form)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    shown = browser.get(first.location).text
    assert "Cảnh báo lũ" in shown
    assert "Đang gửi tới 2 cụm loa" in shown


def test_what_is_still_on_the_phone_is_counted_by_the_length_that_the_phone_says(site):
    browser = site.browser("commune-officer")
    form = an_urgent_form(site, asset_digest="", kept_s="29.5", repeat="2")
    asked = posted(browser, "/urgent", "/urgent/confirm", **form)
    assert "1 phút 00 giây" in asked.text
    for nonsense in ("nan", "-1", "inf", "x"):
        answer = posted(browser, "/urgent", "/urgent/confirm", **{**form, "kept_s": nonsense})
        assert answer.status_code == 422


@pytest.mark.slow
def test_an_announcement_is_heard_beforehand_behind_its_chime_by_who_may_send_it(site):
    facts = {"unit_id": COMMUNE, "asset_digest": site.digest}
    browser = site.browser("commune-officer")
    heard = browser.get("/urgent/heard.ogg", query_string=facts)
    assert heard.mimetype == "audio/ogg"
    assert heard.data.startswith(b"OggS")
    unknown = browser.get("/urgent/heard.ogg", query_string={**facts, "asset_digest": "f" * 64})
    assert unknown.status_code == 404
    assert site.browser("viewer").get("/urgent/heard.ogg", query_string=facts).status_code == 403


def test_nothing_is_confirmed_while_something_is_missing(site):
    browser = site.browser("commune-officer")
    form = an_urgent_form(site, village=[], asset_digest="", title="")
    answer = posted(browser, "/urgent", "/urgent/confirm", **form)
    assert answer.status_code == 422
    for sentence in ("Chưa chọn cụm loa nào", "Chưa có âm thanh", "Hãy đặt tiêu đề"):
        assert sentence in answer.text


def test_an_emergency_from_above_asks_for_the_decision_before_it_is_confirmed(site):
    browser = site.browser("top")
    form = an_urgent_form(site, unit_id=PROVINCE, bulletin_class="emergency")
    answer = posted(browser, "/urgent", "/urgent/confirm", **form)
    assert answer.status_code == 422
    assert "số quyết định" in answer.text
    numbered = {**form, "decision_number": "15/QĐ-UBND"}
    assert posted(browser, "/urgent", "/urgent/confirm", **numbered).status_code == 200


def test_how_grave_an_emergency_is_is_asked_shown_and_sent(site):
    browser = site.browser("commune-officer")
    form = an_urgent_form(site, bulletin_class="emergency", severity="3")
    assert "Mức độ nghiêm trọng" in browser.get("/urgent").text
    assert "Nghiêm trọng" in posted(browser, "/urgent", "/urgent/confirm", **form).text
    posted(browser, "/urgent", "/urgent", **form)
    (made,) = browser.get("/api/v1/broadcasts").json["broadcasts"]
    assert made["severity"] == 3


def test_a_stop_is_one_touch_and_shows_when(site):
    browser = site.browser("commune-officer")
    sent = posted(browser, "/urgent", "/urgent", **an_urgent_form(site))
    assert "DỪNG PHÁT" in browser.get(sent.location).text
    stopped = posted(browser, sent.location, f"{sent.location}/stop")
    assert stopped.status_code == 303
    page = browser.get(stopped.location).text
    assert "Đã dừng lúc" in page
    assert "DỪNG PHÁT" not in page


def test_clusters_that_cannot_be_reached_are_named_with_whom_to_call(site):
    browser = site.browser("commune-officer")
    sent = posted(browser, "/urgent", "/urgent", **an_urgent_form(site))
    assert "gọi cho ai" in browser.get(sent.location).text


def test_prepared_warnings_of_the_units_above_are_offered(site):
    with site.sessions.begin() as db:
        db.add(an_asset_row("a" * 64, PROVINCE, "warning"))
        db.add(an_asset_row("b" * 64, "xa-2", "warning"))
    page = site.browser("commune-officer").get("/urgent").text
    assert "a" * 64 in page
    assert "b" * 64 not in page


def test_of_what_was_refused_a_choice_of_language_leads_back_to_its_page(site):
    browser, page = site.browser("commune-officer"), f"/units/{COMMUNE}/slots/new"
    token = form_token(browser.get(page).text)
    came = {"Referer": f"http://localhost{page}"}
    trial = f"/units/{COMMUNE}/slots/simulate"
    refused = browser.post(trial, data={"csrf_token": token}, headers=came).text
    assert f'name="back" value="{page}"' in refused


def test_the_language_is_kept_and_the_page_stays(site):
    browser = site.browser("commune-officer")
    answer = posted(browser, "/urgent", "/language", language="en", back="/urgent")
    assert answer.location == "/urgent"
    page = browser.get("/urgent").text
    assert '<html lang="en">' in page
    assert "Announce now" in page
    away = posted(browser, "/urgent", "/language", language="vi", back="//example.com")
    assert away.location == "/"


def test_who_may_announce_nowhere_is_not_shown_the_way(site):
    for page in ("/", "/broadcasts"):
        assert 'href="/urgent"' not in site.browser("viewer").get(page).text
        assert 'href="/urgent"' in site.browser("commune-officer").get(page).text


def test_the_record_counts_what_was_heard_and_begins_with_the_latest(site):
    def heard(first_s: float, end_s: float) -> dict[str, str]:
        first, end = NOON + timedelta(seconds=first_s), NOON + timedelta(seconds=end_s)
        return {"start": first.isoformat(), "end": end.isoformat(), "position_s": "0.0"}

    with site.sessions.begin() as db:
        for claim, pieces in (
            ("b-later", [heard(10, 14)]),
            ("s-cut", [heard(0, 10), heard(14, 21)]),
        ):
            db.add(
                AsRunRow(
                    claim_id=claim,
                    cluster_id=CLUSTERS[0],
                    outcome="played",
                    reason="",
                    start=NOON + timedelta(seconds=10 if claim == "b-later" else 0),
                    end=NOON + timedelta(seconds=14 if claim == "b-later" else 21),
                    segments={"heard": pieces},
                    source="node",
                    recorded_at=NOON + timedelta(seconds=30),
                )
            )
    day = local_day(NOON).isoformat()
    page = site.browser("commune-officer").get(f"/as-run?day={day}").text
    assert page.index("b-later") < page.index("s-cut")
    assert re.findall(r">(\d+ giây)<", page) == ["4 giây", "17 giây"]


def test_every_page_is_free_of_inline_style_and_script(site):
    browser = site.browser("commune-officer")
    sent = posted(browser, "/urgent", "/urgent", **an_urgent_form(site))
    slot = f"/units/{COMMUNE}/slots"
    addresses = ("/", "/urgent", "/broadcasts", "/as-run", sent.location, slot, f"{slot}/new")
    for address in (*addresses, f"/units/{COMMUNE}/timeline", "/nowhere", "/login"):
        page = browser.get(address, follow_redirects=True).text
        assert not re.search(r"\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|<style", page), address
        assert not re.search(r'(src|href|action)="(https?:)?//', page), address


def test_the_next_five_days_are_shown_before_anything_is_saved(site):
    browser = site.browser("commune-officer")
    days = {"recurrence": "lunar", "lunar_day": "15", "local_start": "05:30"}
    answer = browser.get(
        f"/units/{COMMUNE}/slots/coming", query_string={**days, "first_day": "01/01/2094"}
    )
    assert answer.status_code == 200
    assert answer.text.count("<li>") == 5
    assert answer.text.count("15/") >= 5
    assert "Thứ Sáu, 01/01/2094" in answer.text
    assert "15/11 âm lịch" in answer.text
    assert browser.get(f"/api/v1/slots?unit_id={COMMUNE}").json["slots"] == []


def test_a_rule_that_cannot_be_used_is_told_where_the_days_would_be(site):
    browser = site.browser("commune-officer")
    fields = {"recurrence": "rrule", "local_start": "05:30", "first_day": "01/01/2094"}
    for rule, sentence in (
        ("FREQ=SECONDLY", "nhiều nhất mỗi ngày một lần"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", "không bao giờ phát"),
    ):
        asked = {**fields, "rrule": rule}
        answer = browser.get(f"/units/{COMMUNE}/slots/coming", query_string=asked)
        assert sentence in answer.text
        page = f"/units/{COMMUNE}/slots/new"
        saved = posted(browser, page, page, **a_slot_form(site, **asked))
        assert saved.status_code == 422
        assert sentence in saved.text
        assert rule in saved.text


def test_who_may_not_schedule_is_not_shown_days_either(site):
    answer = site.browser("viewer").get(f"/units/{COMMUNE}/slots/coming")
    assert answer.status_code == 403


def test_each_kind_of_days_goes_from_the_form_to_the_list_in_words(site):
    browser = site.browser("commune-officer")
    page = f"/units/{COMMUNE}/slots/new"
    for number, (words, days) in enumerate(
        {
            "Hằng tháng: ngày cuối tháng": {"recurrence": "monthly", "month_day": "-1"},
            "Hằng tháng: Thứ Ba lần thứ 2, trừ ngày lễ": {
                "recurrence": "monthly",
                "month_by": "weekday",
                "month_weekday": "TU",
                "month_week": "2",
                "holidays": "except",
            },
            "Âm lịch, hằng năm: mùng 10 tháng 3": {
                "recurrence": "lunar",
                "lunar_day": "10",
                "lunar_month": "3",
            },
            "Cứ 2 tuần; vào Thứ Hai": {
                "recurrence": "rrule",
                "rrule": "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO",
            },
        }.items()
    ):
        form = a_slot_form(site, local_start=f"0{number}:30", **days)
        saved = posted(browser, page, page, **form)
        assert saved.status_code == 303, saved.text
        assert "Bản tin sáng" in browser.get(saved.location).text
        assert words in browser.get(f"/units/{COMMUNE}/slots").text


def test_a_way_out_of_a_clash_is_one_press(site):
    browser = site.browser("commune-officer")
    page = f"/units/{COMMUNE}/slots/new"
    posted(browser, page, page, **a_slot_form(site, local_end="05:40"))
    form = a_slot_form(site, title="Cái khác", local_end="05:50")
    refused = posted(browser, page, page, **form)
    assert "Rút ngắn: 05:40–05:50" in refused.text
    assert "Chuyển sang giờ trống gần nhất: 05:40–06:00" in refused.text
    buttons = dict(
        re.findall(r'name="offer" value="([^"]+)" data-offer="([^"]+)"', refused.text)[::-1]
    )
    by_kind = {kind: html.unescape(value) for value, kind in buttons.items()}
    assert by_kind.keys() == {"trim", "next-gap"}
    saved = posted(browser, page, page, **form, offer=by_kind["next-gap"])
    assert saved.status_code == 303
    listed = browser.get(f"/units/{COMMUNE}/slots").text
    assert "Cái khác" in listed
    assert "05:40" in listed


def test_who_is_lain_over_sees_by_whom(site):
    below, above = site.browser("commune-officer"), site.browser("top")
    page = f"/units/{COMMUNE}/slots/new"
    posted(below, page, page, **a_slot_form(site, local_end="05:40"))
    page = f"/units/{PROVINCE}/slots/new"
    form = a_slot_form(site, title="Tin tỉnh", local_end="05:40")
    refused = posted(above, page, page, **form)
    assert "Phát đè lên: “Bản tin sáng”" in refused.text
    over = re.search(r'value="(override=[^"]+)"', refused.text)[1]
    assert posted(above, page, page, **form, offer=html.unescape(over)).status_code == 303
    assert "Bị khung giờ “Tin tỉnh” (05:30) của" in below.get(f"/units/{COMMUNE}/slots").text


def test_the_interface_offers_what_to_ask_for_otherwise(site):
    asked = {
        "unit_id": COMMUNE,
        "title": "Bản tin sáng",
        "bulletin_class": "ordinary",
        "recurrence": "daily",
        "local_start": "05:30:00",
        "length_s": 600.0,
        "first_day": "2094-11-22",
        "assets": [site.digest],
        "units": [COMMUNE],
    }
    program = site.program("commune-officer")
    assert program.ask("POST", "/slots", json=asked).status_code == 201
    refused = program.ask("POST", "/slots", json=asked)
    assert (refused.status_code, refused.json["code"]) == (409, "slot-clashes")
    (offer,) = refused.json["offers"]
    assert (offer["kind"], offer["changes"]) == ("next-gap", {"local_start": "05:40:00"})
    again = program.ask("POST", "/slots", json=asked | offer["changes"])
    assert again.status_code == 201


def test_of_very_many_clusters_the_first_page_lists_units_and_shows_what_is_asked_for(site: Site):
    with site.sessions.begin() as db:
        for number in range(3, 3 + MOST_CARDS):
            new = a_cluster(f"{COMMUNE}-c{number}", COMMUNE)
            units.create_cluster(db, new, now=NOON, actor=OPERATOR)
    browser = site.browser("top")
    first = browser.get("/").text
    assert f"/?unit={COMMUNE}" in first
    assert "data-cluster" not in first
    assert browser.get(f"/?unit={COMMUNE}").text.count("data-cluster ") == MOST_CARDS + 2
    found = browser.get(f"/clusters/list?q={COMMUNE}-C33").text
    assert re.findall(r'id="cluster-([^"]+)"', found) == [f"{COMMUNE}-c33"]
    assert f"/clusters/list?q={COMMUNE}-C33" in found  # what refreshes itself asks the same again
    silent = browser.get("/?show=trouble").text
    assert silent.count("data-cluster ") == MOST_CARDS
    assert '<p><a href="/">' in silent
    assert "data-cluster" not in browser.get("/?q=khong-co-dau").text
    assert "/?unit=" not in site.browser("elsewhere").get("/").text  # who sees few sees them all
