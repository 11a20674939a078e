"""Everybody can use the pages: axe finds no fault, and nothing is wider than a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import DESK, PHONE

PAGES = (
    "/",
    "/units/xa-dong-van/timeline",
    "/units/xa-dong-van/slots",
    "/units/xa-dong-van/slots/new",
    "/urgent",
    "/urgent?mode=drill",
    "/hush",
    "/broadcasts",
    "/as-run",
    "/units/xa-dong-van/exports",
    "/units/xa-dong-van/week",
    "/account",
    "/assent",
)


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_has_a_fault_of_access_or_is_wider_than_its_screen(open_page, size):
    page = open_page(size)
    page.goto("/login")
    faults = _faults(page, size)
    page = open_page(size, login="phat-thanh")
    for address in PAGES:
        page.goto(address)
        page.wait_for_load_state()
        faults += _faults(page, size)
    assert faults == []


def test_the_first_stop_of_the_keyboard_leads_past_the_menu(open_page):
    page = open_page(login="xem")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def _faults(page, size) -> list[str]:
    found = [
        f"{page.url} {fault['id']}: {fault['nodes'][0]['html'][:160]}"
        for fault in Axe().run(page).response["violations"]
    ]
    if page.evaluate("document.documentElement.scrollWidth") > size[0]:
        found.append(f"{page.url} is wider than {size[0]} px")
    return found
