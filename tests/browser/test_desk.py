"""The desk: a slot is moved with the pointer and with the keys, and every change is taken back."""

from datetime import UTC, datetime, time, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import delete, select, update

from server.cli.demo.province import DONG_VAN, PROVINCE
from server.domain.recurrence import local_day
from server.store.models import AssetRow, SlotChangeRow, SlotItemRow, SlotRow, SlotTargetRow
from tests.browser.conftest import PHONE

NAME = "Giờ của bàn xếp lịch"


@pytest.fixture
def daily_slot(served):
    """A slot of the province at 08:00 every day that nobody else's test sees."""
    now = datetime.now(UTC)
    with served.sessions.begin() as db:
        there = select(SlotRow.slot_id).where(SlotRow.withdrawn_at.is_(None))
        others = db.scalars(there).all()
        mine = update(SlotRow).where(SlotRow.slot_id.in_(others))
        db.execute(mine.values(withdrawn_at=now))
        digest = db.scalar(select(AssetRow.digest))
        db.add(
            SlotRow(
                slot_id="s-desk",
                unit_id=PROVINCE,
                title=NAME,
                bulletin_class="ordinary",
                recurrence="daily",
                local_start=datetime(2026, 1, 1, 8, 0).time(),  # noqa: DTZ001 - a clock time
                duration_s=1800.0,
                first_day=local_day(now),
                created_at=now,
                created_by="loa",
                items=[SlotItemRow(position=0, asset_digest=digest)],
                targets=[SlotTargetRow(kind="unit", ref=PROVINCE)],
            )
        )
    yield
    with served.sessions.begin() as db:
        made = select(SlotRow.slot_id).where(SlotRow.title == NAME)
        db.execute(delete(SlotTargetRow).where(SlotTargetRow.slot_id.in_(made)))
        db.execute(delete(SlotItemRow).where(SlotItemRow.slot_id.in_(made)))
        db.execute(delete(SlotRow).where(SlotRow.title == NAME))
        db.execute(delete(SlotChangeRow))
        db.execute(mine.values(withdrawn_at=None))


def at(page, start):
    return page.get_by_role("button", name=f", {start}–").filter(has_text=NAME)


def drag(page, slot, pixels):
    box = slot.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 6, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 6 + pixels, middle, steps=6)
    page.mouse.up()


def written_down(desk):
    """Open the slot, write its time down exactly, and take that back."""
    at(desk, "08:00").focus()
    desk.keyboard.press("Enter")
    desk.get_by_label("Bắt đầu lúc").fill("08:20")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("radio", name="Chỉ ")).to_be_checked()
    desk.keyboard.press("Enter")
    # It is another slot now, and whoever goes by the keys is still at it.
    expect(at(desk, "08:20")).to_be_focused()
    desk.keyboard.press("Control+z")
    expect(at(desk, "08:00")).to_be_visible()


def told_how_it_fits(desk):
    """Stretch the slot to what is shorter or longer than its files: it is said before it is so."""
    for lasts, words in (("00:01", "Các tệp dài hơn khung giờ"), ("40:00", "sau đó sẽ im lặng")):
        at(desk, "08:00").focus()
        desk.keyboard.press("Enter")
        desk.get_by_label("Độ dài (phút:giây)").fill(lasts)
        desk.get_by_role("button", name="Lưu").click()
        expect(desk.get_by_role("dialog")).to_contain_text(words)
        desk.keyboard.press("Escape")
        expect(at(desk, "08:00")).to_be_visible()


@pytest.mark.usefixtures("daily_slot")
def test_what_began_the_day_before_is_pushed_from_where_it_is_and_keeps_its_length(
    served, open_page
):
    with served.sessions.begin() as db:
        mine = update(SlotRow).where(SlotRow.slot_id == "s-desk")
        db.execute(mine.values(local_start=time(22), duration_s=14_400.4))
    desk = open_page(login="phat-thanh")
    day = local_day(datetime.now(UTC)) + timedelta(days=3)
    desk.goto(f"/desk?day={day.isoformat()}")
    began_before = at(desk, "22:00").first
    began_before.focus()
    desk.keyboard.press("Shift+ArrowRight")
    expect(desk.get_by_role("status").filter(has_text="22:05–02:05")).to_have_count(1)
    desk.keyboard.press("Escape")
    drag(desk, began_before, 0.25 * desk.locator(".desk-lane").first.bounding_box()["width"] / 24)
    expect(desk.get_by_role("dialog")).to_contain_text("22:15–02:15")
    desk.keyboard.press("Escape")
    began_before.focus()
    desk.keyboard.press("Enter")
    desk.get_by_role("button", name="Lưu").click()
    expect(desk.get_by_role("dialog")).to_have_count(0)


def faults(page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in found]


@pytest.mark.usefixtures("daily_slot")
def test_a_slot_is_moved_by_pointer_and_by_keys_and_comes_back(open_page):
    desk = open_page(login="phat-thanh")
    tomorrow = local_day(datetime.now(UTC)) + timedelta(days=1)
    desk.goto(f"/desk?day={tomorrow.isoformat()}&open={PROVINCE}")
    expect(desk.locator(".desk-lane").first).to_be_visible()
    hour = desk.locator(".desk-lane").first.bounding_box()["width"] / 24
    drag(desk, at(desk, "08:00"), 2 * hour)
    expect(desk.get_by_role("radio", name="Chỉ ")).to_be_checked()
    desk.get_by_role("button", name="Lưu").click()
    expect(at(desk, "10:00")).to_be_visible()
    expect(desk.locator("[data-toast]")).to_contain_text("đã có giờ mới")
    desk.locator("[data-toast]").get_by_role("button", name="Hoàn tác").click()
    expect(at(desk, "08:00")).to_be_visible()

    # By the keys: two steps later and one longer, let go once, then saved for all days.
    at(desk, "08:00").focus()
    desk.keyboard.press("Shift+ArrowRight")
    desk.keyboard.press("Escape")
    expect(at(desk, "08:00")).to_be_focused()
    for _ in range(2):
        desk.keyboard.press("Shift+ArrowRight")
    desk.keyboard.press("Control+ArrowRight")
    expect(desk.get_by_role("status").filter(has_text="08:10–08:45")).to_have_count(1)
    desk.keyboard.press("Enter")
    desk.get_by_role("radio", name="Mọi ngày").check()
    desk.keyboard.press("Enter")
    expect(at(desk, "08:10")).to_be_visible()
    desk.keyboard.press("Control+z")
    expect(at(desk, "08:00")).to_be_visible()

    written_down(desk)
    told_how_it_fits(desk)

    at(desk, "08:00").focus()
    desk.keyboard.press("Delete")
    expect(desk.get_by_role("dialog")).to_contain_text("Hủy “")
    desk.keyboard.press("Escape")
    expect(at(desk, "08:00")).to_be_visible()

    # Why a cluster sounds it: at its row, at the time that was clicked.
    desk.locator(f'[data-unit="{DONG_VAN}"]').click()
    assert DONG_VAN in desk.url
    desk.locator(".desk-span").first.click()
    expect(desk.get_by_role("dialog")).to_contain_text(NAME)
    desk.keyboard.press("Escape")
    assert faults(desk) == []

    desk.context.clear_cookies()
    desk.keyboard.press("Control+z")
    expect(desk.get_by_role("link", name="Đăng nhập lại")).to_be_visible()

    phone = open_page(PHONE, login="phat-thanh")
    phone.goto(f"/desk?day={tomorrow.isoformat()}")
    expect(phone.get_by_role("listitem").filter(has_text=NAME)).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults(phone) == []
    # The words for the first day of the year by the moon are the longest.
    for address in ("/desk?day=2027-02-06", f"/why?unit={DONG_VAN}", "/desk/copy"):
        phone.goto(address)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert faults(phone) == []
