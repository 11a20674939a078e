"""A bulletin from its author to a commune, and the order that the commune gives."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from playwright.sync_api import expect

from server.cli.demo.province import PROVINCE, THANH_THUY
from server.domain.authority import Actor
from server.domain.recurrence import local_day
from server.services import bulletins, catalogue, scheduling, sending
from server.services.keyring import Keyring
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.slow

AUTHOR, EDITOR = Actor.operator("phat-thanh"), Actor.operator("duyet-tin")


def warning(served) -> str:
    with served.sessions.begin() as db:
        found = catalogue.usable_assets(db, chain=[PROVINCE], purpose=catalogue.WARNING)
        return found[0].digest


def leave_a_clash(served) -> None:
    """Give Thanh Thủy a priority item for all hours that are not quiet, and send it another."""
    keyring = Keyring.open(served.settings.secrets_dir)
    now = datetime.now(UTC)
    sound = warning(served)
    own = scheduling.NewSlot(
        unit_id=THANH_THUY,
        title="Tin phòng chống cháy rừng của xã",
        bulletin_class="priority",
        assets=(sound,),
        length_s=16 * 3600.0,
        recurrence="daily",
        local_start=time(5),
        first_day=local_day(now),
        units=(THANH_THUY,),
    )
    new = bulletins.NewBulletin(
        request_id="clash-at-thanh-thuy",
        unit_id=PROVINCE,
        title="Lịch cắt điện liên xã",
        bulletin_class="priority",
        asset_digest=sound,
        addressed=(THANH_THUY,),
    )
    way = sending.Way(now=now, actor=AUTHOR, keyring=keyring)
    with served.sessions.begin() as db:
        scheduling.add_slot(db, own, now=now, actor=AUTHOR, keyring=keyring)
        row = bulletins.compose(db, new, now=now, actor=AUTHOR)
        facts = {"bulletin_id": row.bulletin_id, "version": 1}
        bulletins.submit(db, **facts, now=now, actor=AUTHOR)
        bulletins.approve(db, **facts, now=now, actor=EDITOR)
        sending.send(db, **facts, way=way)


def test_a_bulletin_is_written_approved_by_another_and_taken_by_a_commune(open_page):
    author = open_page(login="phat-thanh")
    author.goto("/bulletins/new")
    author.get_by_label("Tiêu đề").fill("Tiêm phòng cho trẻ em")
    author.get_by_label("hoặc dùng âm thanh đã có").select_option(index=1)
    expect(author.locator("[data-sound-ready]")).to_be_visible()
    author.get_by_role("radio", name="Một số xã").check()
    author.get_by_role("checkbox", name="Xã Vị Xuyên").check()
    author.get_by_role("button", name="Lưu và trình duyệt").click()
    author.wait_for_url("**/bulletins/bl-*")
    expect(author.get_by_role("button", name="Duyệt", exact=True)).to_have_count(0)
    officer = open_page(PHONE, login="xa-vi-xuyen")
    officer.goto("/units/xa-vi-xuyen/inbox")
    expect(officer.get_by_text("Không có bản tin nào chờ trả lời.")).to_be_visible()
    editor = open_page(login="duyet-tin")
    editor.goto("/bulletins")
    editor.get_by_role("link", name="Tiêm phòng cho trẻ em").first.click()
    editor.get_by_role("button", name="Duyệt", exact=True).click()
    # The author's open page hears of it by itself, and so does the commune's inbox of the sending.
    author.get_by_role("button", name="Gửi tới các xã").click()
    officer.get_by_role("link", name="Tiêm phòng cho trẻ em").click()
    expect(officer.get_by_text(re.compile(r"còn [23] ngày"))).to_be_visible()
    officer.get_by_role("radio", name="Hằng ngày").check()
    first = datetime.now(UTC) + timedelta(days=9)
    officer.get_by_label("Bắt đầu lúc").fill("06:45")
    officer.get_by_label("Từ ngày").fill(f"{first:%d/%m/%Y}")
    officer.get_by_label("Đến ngày").fill(f"{first + timedelta(days=2):%d/%m/%Y}")
    officer.get_by_role("button", name="Nhận phát bản tin").click()
    officer.wait_for_url("**/units/xa-vi-xuyen/inbox")
    expect(officer.get_by_text("06:45 · Hằng ngày")).to_be_visible()
    expect(author.locator("#line-xa-vi-xuyen")).to_contain_text("Nhận phát")


def test_clashing_priority_items_are_put_in_order_by_dragging_and_by_keyboard(open_page, served):
    leave_a_clash(served)
    page = open_page(PHONE, login="xa-thanh-thuy")
    page.goto("/units/xa-thanh-thuy/inbox")
    names = page.locator(".contender-name strong")
    expect(page.get_by_text("Chưa quyết định").first).to_be_visible()
    both = ["Lịch cắt điện liên xã", "Tin phòng chống cháy rừng của xã"]
    expect(names).to_have_text(both)
    handles = page.locator("[data-handle]")
    handles.nth(0).scroll_into_view_if_needed()
    held, other = handles.nth(0).bounding_box(), handles.nth(1).bounding_box()
    page.mouse.move(held["x"] + 8, held["y"] + 8)
    page.mouse.down()
    page.mouse.move(other["x"] + 8, other["y"] + other["height"], steps=6)
    page.mouse.up()
    expect(page.get_by_text("Xã đã quyết định").first).to_be_visible()
    expect(names).to_have_text(both[::-1])
    up = page.get_by_role("button", name="Chuyển “Lịch cắt điện liên xã” lên")
    up.focus()
    page.keyboard.press("Enter")
    expect(names).to_have_text(both)
