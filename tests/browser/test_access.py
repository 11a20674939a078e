"""Everybody can use the pages: axe finds no fault, and nothing is wider than a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

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


# The whole of it, not only a corner: nothing else lies over its edges.
IN_SIGHT = """(one) => {
    const { left, right, top, bottom } = one.getBoundingClientRect();
    const corners = [left + 4, right - 4].flatMap((x) => [top + 4, bottom - 4].map((y) => [x, y]));
    return corners.every(([x, y]) => one.contains(document.elementFromPoint(x, y)));
}"""


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


# A telephone with letters made 1.6 times as large, as one zoomed to 160 %; and one on its side.
@pytest.mark.parametrize("size", [(225, 400), (640, 360)], ids=["large-letters", "on-its-side"])
def test_what_sends_an_announcement_is_in_sight_however_large_the_letters(open_page, size):
    page = open_page(size, login="xa-dong-van")
    page.goto("/urgent")
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert page.locator("[data-continue]").evaluate(IN_SIGHT)
    here = page.locator(".nav-thumb a[aria-current]")
    here.evaluate("(one) => one.scrollIntoView({ behavior: 'instant', block: 'end' })")
    assert here.evaluate(IN_SIGHT)


def test_no_page_is_wider_than_a_phone_while_its_letters_are_on_their_way(open_page):
    page = open_page(PHONE, login="phat-thanh")
    held: list[Route] = []
    page.route("**/*.woff2*", lambda route: held.append(route))  # noqa: PLW0108 - its own way to call
    for address in ("/", "/urgent", "/units/xa-dong-van/slots"):
        page.goto(address, wait_until="domcontentloaded")
        expect(page.locator(".top-right")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert held


def test_nothing_leaves_the_urgent_page_before_its_script_is_there(open_page):
    page = open_page(PHONE, login="xa-dong-van")
    held: list[Route] = []
    page.route("**/vendor/urgent.js*", lambda route: held.append(route))  # noqa: PLW0108 - its own way to call
    page.goto("/urgent", wait_until="commit")
    go = page.get_by_role("button", name="Tiếp tục")
    expect(go).to_be_disabled()
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    expect(go).to_be_enabled()
