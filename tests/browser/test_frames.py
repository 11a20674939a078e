"""Laying down hours and seeing whose they are, on the desk and on the phone."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete, select, update

from server.cli.demo.province import DONG_VAN, LUNG_CU, PROVINCE
from server.store.models import FrameRow, SlotRow
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.slow


def lay_down(page, unit_id, start, end, *, quiet=False, owner=None):
    page.goto(f"/units/{unit_id}/frames")
    if quiet:
        page.get_by_role("radio", name="Giờ yên tĩnh").check()
        expect(page.get_by_label("Dành cho chương trình của")).to_be_hidden()
    elif owner:
        page.get_by_label("Dành cho chương trình của").select_option(label=owner)
    page.get_by_label("Từ", exact=True).fill(start)
    page.get_by_label("Đến", exact=True).fill(end)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name="Lưu giờ phát").click()
    page.wait_for_load_state()


@pytest.fixture
def hours_of_one_test(served):
    """Find no slots that hours would leave outside, and leave no hours to the other tests."""
    with served.sessions.begin() as db:
        there = select(SlotRow.slot_id).where(SlotRow.withdrawn_at.is_(None))
        slots = db.scalars(there).all()
        mine = update(SlotRow).where(SlotRow.slot_id.in_(slots))
        db.execute(mine.values(withdrawn_at=datetime.now(UTC)))
    yield
    with served.sessions.begin() as db:
        db.execute(delete(FrameRow))
        db.execute(mine.values(withdrawn_at=None))


@pytest.mark.usefixtures("hours_of_one_test")
def test_the_province_lays_down_hours_and_the_commune_sees_them_and_adds_its_own(open_page):
    desk = open_page(login="phat-thanh")
    lay_down(desk, PROVINCE, "05:00", "06:00", owner="Tỉnh Tuyên Quang")
    lay_down(desk, PROVINCE, "06:00", "08:00", owner="Từng đơn vị cấp: Xã")
    lay_down(desk, PROVINCE, "08:00", "22:00")
    lay_down(desk, PROVINCE, "22:00", "05:00", quiet=True)
    expect(desk.locator(".frame-list > li")).to_have_count(4)
    expect(desk.locator(".drawing-row")).to_have_count(7)

    phone = open_page(PHONE, login="xa-dong-van")
    lay_down(phone, DONG_VAN, "11:30", "13:30", quiet=True)
    expect(phone.locator(".frame-list > li")).to_have_count(5)
    expect(phone.get_by_role("button", name="Hủy giờ phát này")).to_have_count(1)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    lay_down(phone, DONG_VAN, "05:30", "06:30")
    expect(phone.get_by_role("alert")).to_contain_text("05:30–06:00")

    desk.goto(f"/units/{LUNG_CU}/frames")
    expect(desk.get_by_role("button", name="Đặt giờ phát")).to_have_count(0)
    desk.goto(f"/units/{DONG_VAN}/timeline")
    desk.get_by_text("Xem thêm về đơn vị").click()
    expect(desk.get_by_role("link", name="Giờ phát", exact=True)).to_be_visible()
    phone.goto(f"/units/{DONG_VAN}/timeline")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")

    phone.on("dialog", lambda dialog: dialog.accept())
    phone.goto(f"/units/{DONG_VAN}/frames")
    phone.get_by_role("button", name="Hủy giờ phát này").click()
    expect(phone.locator(".frame-list > li")).to_have_count(4)
