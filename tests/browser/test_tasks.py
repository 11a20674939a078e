"""The operator's main tasks, in a real browser, on the desk and on the phone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from protocol.messages import (
    Done,
    Presence,
    PresenceState,
    Received,
    Started,
)
from server.cli.demo.province import DONG_VAN
from tests.browser.conftest import PHONE

DONG_VAN_CLUSTERS = ("pho-co", "ta-lung", "thai-phin-tung")
SPOKEN_MS = 30_000
"""Until a warning is spoken whose words nobody has spoken yet."""


def test_the_clusters_are_found_without_marks_and_shown_by_state(open_page):
    page = open_page(login="phat-thanh")
    expect(page.get_by_role("heading", name="Xã Đồng Văn")).to_be_visible()
    page.get_by_role("searchbox").fill("dong cap")
    expect(page.locator("[data-cluster]:visible")).to_have_count(1)
    expect(page.locator("[data-cluster]:visible")).to_contain_text("Thôn Đông Cáp")
    page.get_by_role("searchbox").fill("khong co dau")
    expect(page.get_by_text("Không tìm thấy cụm loa nào.")).to_be_visible()


def test_a_change_is_shown_without_touching_the_page_and_the_search_stays(open_page, served):
    # Whoever was last heard of long ago is shown as slow: this test may be the last of many.
    served.hear("lo-lo-chai", Presence(node="node-lo-lo-chai", state=PresenceState.HERE))
    page = open_page(login="phat-thanh")
    page.get_by_role("searchbox").fill("lo lo chai")
    card = page.locator("#cluster-lo-lo-chai")
    expect(card).to_contain_text("Đang kết nối")
    now = datetime.now(UTC)
    served.hear("lo-lo-chai", Started(report_id="t-1", claim_id="s-x-20261122t000000z", at=now))
    expect(card).to_contain_text("Đang phát")
    expect(page.locator("[data-cluster]:visible")).to_have_count(1)


def test_the_language_is_switched_on_every_page(open_page):
    page = open_page(login="phat-thanh")
    page.goto("/urgent")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Announce now")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="Tiếng Việt").click()
    expect(page.get_by_role("heading", name="Phát ngay")).to_be_visible()


def test_a_slot_is_added_from_an_uploaded_file_and_a_second_one_is_refused(open_page, sound_file):
    page = open_page(login="xa-lung-cu")
    page.goto("/units/xa-lung-cu/timeline")
    page.get_by_role("link", name="Thêm khung giờ").first.click()
    page.locator("[data-file]").set_input_files(sound_file)
    expect(page.locator(".item").get_by_text("Bản tin sáng", exact=True)).to_be_visible()
    expect(page.get_by_label("Tiêu đề")).to_have_value("Bản tin sáng")
    page.get_by_label("Bắt đầu lúc").fill("0615")
    page.get_by_role("radio", name="Theo thứ").check()
    page.get_by_role("checkbox", name="CN").check()
    day = (datetime.now(UTC) + timedelta(days=8)).strftime("%d/%m/%Y")
    page.get_by_label("Từ ngày").fill(day)
    page.get_by_role("button", name="Lưu khung giờ").click()
    page.wait_for_url(re.compile(r"/units/xa-lung-cu/timeline\?day="))
    page.goto("/units/xa-lung-cu/slots/new")
    page.get_by_label("hoặc dùng âm thanh đã có").select_option(index=1)
    expect(page.locator(".item")).to_have_count(1)
    page.get_by_label("Tiêu đề").fill("Cái khác")
    page.get_by_label("Bắt đầu lúc").fill("06:15")
    page.get_by_label("Từ ngày").fill(day)
    page.get_by_role("button", name="Lưu khung giờ").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Trùng giờ với “Bản tin sáng”")
    expect(alert).to_be_focused()
    expect(page.get_by_label("Tiêu đề")).to_have_value("Cái khác")


def test_a_file_that_is_no_sound_is_refused_in_words(open_page, tmp_path):
    letter = tmp_path / "thu.mp3"
    letter.write_text("Kính gửi bà con" * 50)
    page = open_page(login="xa-lung-cu")
    page.goto("/units/xa-lung-cu/slots/new")
    page.locator("[data-file]").set_input_files(letter)
    expect(page.get_by_text("Tệp này không phải là tệp âm thanh.")).to_be_visible()


def test_a_prepared_warning_brings_its_title_and_goes_without_holding_by_two_presses(open_page):
    page = open_page(PHONE, login="xa-thanh-thuy")
    page.goto("/urgent")
    page.get_by_text("Thôn Nậm Ngặt").click()
    page.locator("[data-prepared]").first.check()
    title = page.get_by_label("Tiêu đề").input_value()
    assert title
    page.get_by_role("radio", name="Khẩn cấp").check()
    expect(page.get_by_label(re.compile("Số quyết định"))).to_be_visible()
    page.get_by_role("button", name="Tiếp tục").click()
    page.get_by_role("button", name="Phát không cần giữ").press("Enter")
    page.get_by_role("button", name="Nhấn lần nữa để phát").press("Enter")
    page.wait_for_url("**/broadcasts/b-*")
    page.goto("/broadcasts")
    expect(page.get_by_text(title)).to_have_count(1)


@pytest.mark.slow
def test_a_warning_is_made_as_its_slots_are_filled_in_and_a_recording_is_not_given_up(open_page):
    page = open_page(PHONE, login="xa-thanh-thuy")
    page.goto("/urgent")
    page.get_by_text("Thôn Nậm Ngặt").click()
    page.get_by_role("button", name="Cảnh báo", exact=True).click()
    page.get_by_label("Cảnh báo soạn sẵn").select_option("flash-flood")
    made = page.locator("[data-digest]")
    expect(made).not_to_have_value("", timeout=SPOKEN_MS)
    bare = made.input_value()
    fill = page.locator("[data-fill='flash-flood']")
    fill.get_by_label("Khu vực").fill("thôn Nậm Ngặt.")
    expect(fill.locator("[data-filled]")).to_have_text("Khu vực: thôn Nậm Ngặt.")
    expect(made).to_have_value("")
    # The last slot is left by going on: its sound is waited for.
    page.get_by_role("button", name="Tiếp tục").click()
    asked = page.get_by_role("heading", name="Phát thông báo này?")
    expect(asked).to_be_visible(timeout=SPOKEN_MS)
    assert made.input_value() not in {"", bare}
    page.get_by_role("button", name="Sửa lại").click()
    page.get_by_role("button", name="Ghi âm").first.click()
    record = page.locator("[data-record]")
    record.click()
    expect(page.locator("[data-record-time]")).to_have_text("00:01")
    record.click()
    expect(made).not_to_have_value("")
    spoken = made.input_value()
    page.get_by_role("button", name="Cảnh báo", exact=True).click()
    page.get_by_label("Cảnh báo soạn sẵn").select_option("storm")
    page.get_by_text("Thôn Nậm Ngặt", exact=True).click()
    expect(page.locator("[data-sum]")).to_have_text("0")
    assert made.input_value() == spoken


def test_without_a_microphone_the_phones_own_recorder_is_offered(open_page, sound_file):
    page = open_page(PHONE, login="xa-vi-xuyen")
    # On plain HTTP browsers do not offer the microphone at all.
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', {value: undefined})")
    page.goto("/urgent?unit=xa-vi-xuyen")
    page.get_by_role("button", name="Ghi âm").click()
    capture = page.locator("[data-capture] input")
    expect(page.get_by_text("Ghi âm bằng điện thoại")).to_be_visible()
    assert capture.get_attribute("capture") is not None
    capture.set_input_files(sound_file)
    expect(page.locator("[data-sound-ready]")).to_be_visible()


def test_a_viewer_is_shown_no_way_to_change_anything(open_page):
    page = open_page(login="xem")
    page.goto(f"/units/{DONG_VAN}/timeline")
    expect(page.get_by_role("link", name="Thêm khung giờ")).to_have_count(0)


def test_the_days_of_a_slot_are_chosen_by_the_moon_and_the_next_five_are_shown(open_page):
    page = open_page(PHONE, login="xa-lung-cu")
    page.goto("/units/xa-lung-cu/slots/new")
    page.get_by_role("radio", name="Âm lịch").check()
    page.get_by_label("Ngày âm lịch").select_option(label="rằm (ngày 15)")
    expect(page.get_by_label("Năm có tháng nhuận")).to_be_hidden()
    page.get_by_label("Bắt đầu lúc").fill("1915")
    page.get_by_label("Từ ngày").click()
    coming = page.locator("[data-coming] li")
    expect(coming).to_have_count(5)
    expect(coming.first).to_contain_text(re.compile(r"\d\d/\d\d/\d{4}.*19:15.*15/\d+ âm lịch"))
    page.get_by_role("radio", name="Nâng cao (RRULE)").check()
    page.get_by_label("Quy tắc như trong iCalendar").fill("FREQ=SECONDLY")
    expect(page.locator("[data-coming]")).to_contain_text("nhiều nhất mỗi ngày một lần")
    page.get_by_label("Quy tắc như trong iCalendar").fill("FREQ=MONTHLY;BYDAY=1MO")
    expect(coming).to_have_count(5)
    expect(coming.first).to_contain_text("Thứ Hai")
    page.get_by_label("hoặc dùng âm thanh đã có").select_option(index=1)
    expect(page.locator(".item")).to_have_count(1)
    page.get_by_role("button", name="Lưu khung giờ").click()
    page.wait_for_url(re.compile(r"/units/xa-lung-cu/timeline\?day="))
    page.goto("/units/xa-lung-cu/slots")
    expect(page.get_by_text("Hằng tháng; vào Thứ Hai lần thứ 1")).to_be_visible()


def test_who_looks_for_a_box_sees_the_order_sent_and_answered_on_the_phone(open_page, served):
    served.hear("lo-lo-chai", Presence(node="node-lo-lo-chai", state=PresenceState.HERE))
    page = open_page(PHONE, login="phat-thanh")
    page.get_by_role("searchbox").fill("lo lo chai")
    page.locator("#cluster-lo-lo-chai").get_by_role("link", name="Kỹ thuật tại cụm").click()
    page.get_by_role("button", name="Nháy đèn").click()
    order = page.locator("#upkeep [data-order]").first
    expect(order).to_contain_text("Đã gửi")
    now, name = datetime.now(UTC), order.get_attribute("data-order")
    served.hear("lo-lo-chai", Received(report_id="t-2", claim_id=name, at=now, message_id=name))
    expect(order).to_contain_text("Đã nhận")
    served.hear("lo-lo-chai", Done(report_id="t-3", claim_id=name, at=now, detail="no-lamps"))
    expect(order).to_contain_text("Đã xong")
    expect(order).to_contain_text("Tủ này không có đèn")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
