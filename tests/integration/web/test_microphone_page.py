"""The page on which somebody speaks live: who gets it, and the ticket on it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from server.services import microphones
from server.services.keyring import FLASK, secret_text
from server.settings import Settings
from tests.factories.pages import COMMUNE, OTHER
from tests.integration.web.test_pages import an_urgent_form, posted

OFFICER = "commune-officer"


def a_form(site, **changed: object):
    return an_urgent_form(site, **{"asset_digest": "", **changed})


def an_order(**changed: object) -> dict[str, object]:
    boring = {
        "request_id": "noi-truc-tiep-1",
        "unit_id": COMMUNE,
        "title": "Lũ",
        "units": [COMMUNE],
    }
    return {**boring, **changed}


def test_the_page_says_whom_it_reaches_and_bears_a_ticket_for_just_that(any_site):
    browser = any_site.browser(OFFICER)
    answer = posted(browser, "/urgent", "/urgent/speak", **a_form(any_site, title="Lũ về"))
    assert answer.status_code == 200
    (ticket,) = re.findall(r'data-ticket="([^"]+)"', answer.text)
    settings = any_site.app.extensions["loa"].settings
    read = microphones.read_ticket(
        ticket, secret=secret_text(settings.secrets_dir, FLASK), now=datetime.now(UTC)
    )
    assert (read.username, read.new.unit_id, read.new.title) == (OFFICER, COMMUNE, "Lũ về")
    assert read.new.asset_digest == ""


def test_the_page_may_connect_to_the_microphones_and_no_other_page_may(site):
    browser = site.browser(OFFICER)
    answer = posted(browser, "/urgent", "/urgent/speak", **a_form(site))
    (address,) = re.findall(r'data-microphone="([^"]+)"', answer.text)
    origin = address.removesuffix("/microphone")
    assert f"connect-src 'self' {origin};" in answer.headers["Content-Security-Policy"]
    assert "connect-src 'self';" in browser.get("/urgent").headers["Content-Security-Policy"]


@pytest.mark.parametrize("second", [{}, {"second_username": "broadcaster"}])
def test_what_is_wrong_is_told_and_no_microphone_handed_out(site, second):
    form = {**a_form(site, title="", village=[]), **second}
    answer = posted(site.browser(OFFICER), "/urgent", "/urgent/speak", **form)
    assert answer.status_code == 422
    assert "Chưa chọn cụm loa nào." in answer.text
    assert "data-ticket" not in answer.text


@pytest.mark.slow
def test_the_page_of_a_drill_says_so_and_hands_out_a_microphone_for_a_drill(site):
    answer = posted(site.browser(OFFICER), "/urgent", "/urgent/speak", **a_form(site, mode="drill"))
    assert answer.status_code == 200
    assert "Loa tự báo đây là diễn tập" in answer.text
    assert "drill-page" in answer.text
    assert f'href="/urgent?unit={COMMUNE}&amp;mode=drill"' in answer.text
    (ticket,) = re.findall(r'data-ticket="([^"]+)"', answer.text)
    settings = site.app.extensions["loa"].settings
    secret = secret_text(settings.secrets_dir, FLASK)
    assert microphones.read_ticket(ticket, secret=secret, now=datetime.now(UTC)).new.mode == "drill"


@pytest.mark.slow
def test_a_program_gets_a_ticket_for_what_its_person_may_and_for_nothing_else(any_site):
    officer, wanted = any_site.program(OFFICER), an_order(title="Lũ về", gain_db=-5)
    answer = officer.ask("POST", "/microphone-tickets", json=wanted)
    assert answer.status_code == 201, answer.text
    settings = any_site.app.extensions["loa"].settings
    assert answer.json["microphone"].endswith(f":{settings.microphone_port}/microphone")
    assert answer.json["delay_s"] == settings.live_delay_s
    secret = secret_text(settings.secrets_dir, FLASK)
    read = microphones.read_ticket(answer.json["ticket"], secret=secret, now=datetime.now(UTC))
    assert (read.username, read.new.title, read.new.gain_db) == (OFFICER, "Lũ về", -5)
    for who, order, status in (
        ("viewer", wanted, 403),
        ("elsewhere", wanted, 403),
        (OFFICER, an_order(units=[OTHER]), 422),
        (OFFICER, an_order(units=[]), 422),
    ):
        refused = any_site.program(who).ask("POST", "/microphone-tickets", json=order)
        assert refused.status_code == status, refused.text
        assert "ticket" not in refused.json


def test_a_program_gets_a_ticket_for_a_drill_once_it_can_say_that_it_is_one(site):
    answer = site.program(OFFICER).ask("POST", "/microphone-tickets", json=an_order(mode="drill"))
    assert answer.status_code == 201, answer.text
    said = site.program(OFFICER).ask("GET", f"/assets?unit_id={COMMUNE}").json["assets"]
    assert {"drill-before", "drill-after"} <= {one["purpose"] for one in said}


def test_nothing_is_sent_by_opening_the_page(site):
    browser = site.browser(OFFICER)
    posted(browser, "/urgent", "/urgent/speak", **a_form(site, title="Chưa nói"))
    assert "Chưa nói" not in browser.get("/broadcasts").text


@pytest.mark.parametrize(
    ("chosen", "host", "address"),
    [
        ({}, "127.0.0.1:8080", "ws://127.0.0.1:8081/microphone"),
        ({"live_port": 9000}, "may-chu:8080", "ws://may-chu:9000/microphone"),
        ({}, "[::1]:8080", "ws://[::1]:8081/microphone"),
        ({}, "[::1]", "ws://[::1]:8081/microphone"),
        ({"public_url": "https://loa.vn"}, "loa.vn", "wss://loa.vn/microphone"),
        ({"live_url": "wss://mic.loa.vn/m"}, "loa.vn", "wss://mic.loa.vn/m"),
    ],
)
def test_a_browser_finds_the_microphones_beside_the_pages(chosen, host, address):
    assert Settings(**chosen).microphone_url(host) == address


def test_a_ticket_outlives_the_page_by_a_quarter_of_an_hour_only():
    assert timedelta(minutes=5) < microphones.TICKET_LIFE <= timedelta(minutes=15)
