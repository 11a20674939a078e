"""Drawing a reform of the tree, on the desk and on the phone."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE

pytestmark = pytest.mark.slow

DAY = f"{datetime.now(UTC) + timedelta(days=10):%d/%m/%Y}"


def test_a_reform_is_drawn_left_and_taken_up_again_and_all_it_does_is_shown(open_page):
    desk = open_page(login="quan-tri")
    desk.goto("/reforms")
    desk.get_by_label("Tên đợt sắp xếp").fill("Sáp nhập xã Lũng Cú")
    desk.get_by_label("Có hiệu lực từ ngày").fill(DAY)
    desk.get_by_role("button", name="Tạo bản nháp").click()
    desk.get_by_text("Thêm đơn vị mới").click()
    desk.get_by_label("Tên", exact=True).fill("Xã Cực Bắc")
    desk.get_by_role("button", name="Thêm", exact=True).click()
    desk.get_by_label("Xã Lũng Cú").check()
    desk.get_by_role("button", name="Thêm các đơn vị đã chọn").click()

    phone = open_page(PHONE, login="quan-tri")
    phone.goto("/reforms")
    phone.get_by_role("link", name="Mở Sáp nhập xã Lũng Cú").click()
    phone.get_by_role("link", name="Sửa Xã Lũng Cú").click()
    phone.get_by_label("Theo từng thôn, bản").check()
    expect(phone.get_by_role("combobox", name="Tất cả về một đơn vị")).to_be_hidden()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.get_by_role("button", name="Lưu").click()
    phone.get_by_role("button", name="Xem toàn bộ kết quả").first.click()
    expect(phone.get_by_role("alert")).to_contain_text("3 cụm loa sẽ không thuộc đơn vị nào")
    for hand in phone.get_by_role("combobox").all():
        hand.select_option(label="Xã Cực Bắc")
    phone.get_by_role("button", name="Lưu và xem lại").click()
    expect(phone.get_by_role("button", name="Duyệt đợt sắp xếp")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")

    # What the desk had open is no longer the newest: it is told, and shown how it stands now.
    desk.get_by_label("Căn cứ pháp lý").fill("NQ 1684")
    desk.get_by_role("button", name="Lưu", exact=True).click()
    expect(desk.get_by_role("alert")).to_contain_text("có người khác đã sửa bản nháp này")
    desk.on("dialog", lambda dialog: dialog.accept())
    desk.get_by_role("button", name="Xóa bản nháp").click()
    expect(desk.get_by_text("Chưa có đợt sắp xếp nào.")).to_be_visible()
