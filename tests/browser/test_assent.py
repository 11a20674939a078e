"""An emergency that asks for a second factor goes through a second person, on two phones."""

import re
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import delete

from server.cli.demo.province import PROVINCE
from server.domain.assent import Line
from server.services import assenting, events
from server.store.models import AssentRuleRow
from tests.browser.conftest import PHONE
from tests.browser.test_urgent import hold, write
from tests.factories.units import OPERATOR

TITLE = "Đập xả lũ"


@pytest.fixture
def strict(served):
    """A province where every emergency of a commune asks for a second factor."""
    lines = [Line(1, 0, 0, 0, 1, factor=True)]
    with served.sessions.begin() as db:
        assenting.lay_down(db, PROVINCE, lines, version=0, now=datetime.now(UTC), actor=OPERATOR)
    yield served
    with served.sessions.begin() as db:
        db.execute(delete(AssentRuleRow))


@pytest.mark.slow
def test_whoever_has_no_factor_is_helped_by_a_colleague_and_loses_nothing(
    open_page, complaints, strict
):
    officer = open_page(PHONE, login="xa-dong-van")
    officer.goto("/urgent")
    expect(officer.locator("#factor-missing")).to_be_visible()
    write(officer, TITLE)
    officer.get_by_role("radio", name="Khẩn cấp").check()
    officer.get_by_role("button", name="Tiếp tục").click()
    expect(officer.locator("[data-lacking]")).to_be_visible()
    hold(officer)
    asked = officer.get_by_role("dialog", name="Có đúng là bạn không?")
    expect(asked).to_be_visible()
    assert not [fault["id"] for fault in Axe().run(officer).response["violations"]]
    asked.get_by_role("button", name="Nhờ người khác xác nhận").click()
    officer.wait_for_url("**/broadcasts/b-*")
    expect(officer.get_by_text("Chờ người thứ hai đến")).to_be_visible()
    # What is being typed outlives what the stream tells meanwhile.
    officer.get_by_text("Người thứ hai ở ngay đây").click()
    officer.get_by_label("Tên đăng nhập của họ").fill("phat-thanh")
    with (
        officer.expect_response("**/broadcasts/b-*/waiting"),
        strict.sessions.begin() as db,
    ):
        events.emit(db, kind="waiting", ref="b-0", now=datetime.now(UTC))
    expect(officer.get_by_label("Tên đăng nhập của họ")).to_have_value("phat-thanh")
    expect(officer.get_by_label("Tên đăng nhập của họ")).to_be_visible()

    colleague = open_page(PHONE, login="phat-thanh")
    colleague.goto("/broadcasts")
    colleague.locator("#waiting-banner").get_by_role("link", name="Xem").click()
    assert not [fault["id"] for fault in Axe().run(colleague).response["violations"]]
    colleague.get_by_role("button", name="Xác nhận: phát ngay").click()
    # Told by the stream, without anybody reloading the page.
    expect(officer.locator("#broadcast")).to_contain_text("Lê Thu Hà xác nhận")
    colleague.get_by_role("button", name="DỪNG PHÁT").click()
    refused = re.compile(r"status of 403")
    complaints[:] = [one for one in complaints if not refused.search(one)]
