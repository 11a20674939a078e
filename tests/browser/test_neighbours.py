"""Seeing on the map whose turn it is, and having them take turns, on the phone."""

import pytest
from playwright.sync_api import expect

from server.cli.demo.province import DONG_VAN
from server.store.models import ClusterRow, UnitRow
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.slow


@pytest.fixture
def near_each_other(served):
    """Let all of one commune reach far; afterwards nobody has said anything."""

    def said(reach_m: int | None) -> None:
        with served.sessions.begin() as db:
            for row in db.query(ClusterRow):
                row.reach_m = reach_m
            db.get_one(UnitRow, DONG_VAN).takes_turns = False

    said(3000)
    yield
    said(None)


@pytest.mark.usefixtures("near_each_other")
def test_an_officer_looks_at_the_turns_on_a_map_and_switches_them_on(open_page):
    page = open_page(PHONE, login="xa-dong-van")
    page.goto(f"/units/{DONG_VAN}/neighbours")
    expect(page.locator("[data-map] .map-name").first).to_be_visible()
    names = page.locator("[data-map] .map-name").all_inner_texts()
    lines = page.locator("li[data-north]")
    assert len(names) == lines.count() > 1
    assert {name.split(" · ")[0] for name in names} >= {"1", "2"}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Phát luân phiên theo lượt").click()
    expect(page.get_by_text("Đang bật")).to_be_visible()
    expect(page.get_by_role("button", name="Trở lại phát cùng lúc")).to_be_visible()
