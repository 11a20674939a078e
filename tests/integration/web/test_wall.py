"""The wall: who gets in, what a browser must bring, and what every answer carries."""

import re
from datetime import UTC, datetime
from io import BytesIO

import pytest

from server.app import create_app
from server.http.uploads import MAX_FORM_BYTES
from server.services import commissioning
from server.web.stream.views import told
from tests.factories.pages import AUDIO, COMMUNE, PASSWORD, form_token
from tests.factories.units import OPERATOR

PAGES = ("/", "/timeline", f"/units/{COMMUNE}/timeline", "/urgent", "/broadcasts", "/as-run")


def test_nobody_sees_a_page_before_logging_in(site):
    browser = site.browser()
    for page in PAGES:
        answer = browser.get(page)
        assert answer.status_code == 303
        assert answer.location.startswith("/login?next=")


def test_every_rule_but_the_named_ones_is_behind_the_wall(site):
    client = site.browser()
    open_ones = set()
    for rule in site.app.url_map.iter_rules():
        if rule.arguments - {"unit_id", "broadcast_id", "slot_id", "digest"}:
            continue
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<{name}>", "x")
        if "GET" in rule.methods and client.get(path).status_code not in {303, 401}:
            open_ones.add(rule.endpoint)
    phone = {"phone.manifest", "phone.worker", "phone.offline"}
    assert open_ones == {"security.login", "api.health", "openapi.spec"} | phone


def test_after_logging_in_the_page_that_was_asked_for_is_shown(any_site):
    browser = any_site.browser()
    token = form_token(browser.get("/login?next=/urgent").text)
    form = {"username": "commune-officer", "password": PASSWORD, "csrf_token": token}
    answer = browser.post("/login?next=/urgent", data=form)
    assert answer.status_code == 302
    assert answer.location.endswith("/urgent")


@pytest.mark.parametrize(
    ("page", "then"),
    [
        ("http://localhost/broadcasts/b-1", "/broadcasts/b-1"),
        ("http://localhost/urgent?mode=drill", "/urgent?mode%3Ddrill"),
        ("http://localhost/broadcasts/b-1/stop", "/"),
        ("https://example.com/broadcasts/b-1", "/"),
        ("", "/"),
    ],
)
def test_whose_log_in_ended_before_a_press_is_told_that_it_was_not_done_and_led_to_its_page(
    site, page, then
):
    browser = site.browser()
    answer = browser.post("/broadcasts/b-1/stop", headers={"Referer": page})
    assert (answer.status_code, answer.location) == (303, f"/login?next={then}&undone=yes")
    assert "CHƯA được thực hiện" in browser.get(answer.location).text
    assert "CHƯA được thực hiện" not in browser.get("/login").text


def test_a_part_of_a_page_whose_log_in_has_ended_says_so_and_leaves_the_page_as_it_is(site):
    answer = site.browser().get("/broadcasts/b-1/state", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.text) == (401, "")
    assert answer.headers["HX-Trigger"] == "logged-out"


def test_another_sites_page_as_next_is_not_followed(site):
    browser = site.browser()
    token = form_token(browser.get("/login").text)
    form = {"username": "commune-officer", "password": PASSWORD, "csrf_token": token}
    answer = browser.post("/login?next=https://example.com/", data=form)
    assert "example.com" not in answer.headers.get("Location", "")


def test_a_wrong_password_is_answered_in_vietnamese_and_tells_nothing(site):
    browser = site.browser()
    for username in ("commune-officer", "nobody-at-all"):
        token = form_token(browser.get("/login").text)
        form = {"username": username, "password": "sai", "csrf_token": token}
        answer = browser.post("/login", data=form)
        assert "Tên đăng nhập hoặc mật khẩu không đúng." in answer.text
        assert browser.get("/").status_code == 303


def test_guessing_passwords_is_slowed_down_but_logging_in_is_not(site):
    form = {"username": "viewer", "password": "sai"}
    program = site.app.test_client(use_cookies=False)
    for _ in range(12):
        site.program("viewer")
    statuses = {
        program.post("/login", json=form, headers={"Accept": "application/json"}).status_code
        for _ in range(12)
    }
    assert statuses == {400, 429}


@pytest.mark.parametrize(("proxies", "slowed"), [(0, True), (1, False)])
def test_people_behind_a_proxy_are_told_apart_only_where_it_is_ours(open_one, proxies, slowed):
    made = open_one(trusted_proxies=proxies)
    program = made.app.test_client(use_cookies=False)
    form = {"username": "viewer", "password": "sai"}
    statuses = [
        program.post(
            "/login",
            json=form,
            headers={"Accept": "application/json", "X-Forwarded-For": f"203.0.113.{number}"},
        ).status_code
        for number in range(12)
    ]
    assert (429 in statuses) == slowed


def test_a_form_without_its_token_changes_nothing(site):
    browser = site.browser("commune-officer")
    answer = browser.post("/urgent", data={"title": "x", "unit_id": COMMUNE})
    assert answer.status_code == 400
    assert "<html" in answer.text
    by_cookie = browser.post("/api/v1/broadcasts", json={"title": "x"})
    assert by_cookie.status_code == 400
    assert by_cookie.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://example.com"}]
)
def test_what_another_site_made_a_browser_send_is_refused(site, headers):
    browser = site.browser("commune-officer")
    token = form_token(browser.get("/urgent").text)
    form = {"csrf_token": token, "language": "en"}
    assert browser.post("/language", data=form, headers=headers).status_code == 403
    assert browser.post("/language", data=form).status_code == 303


def test_a_large_body_is_refused_where_no_file_is_expected(site):
    browser = site.browser()
    large = {"username": "x" * 3_000_000, "password": "y"}
    assert browser.post("/login", data=large).status_code == 413


def test_nothing_is_written_for_somebody_who_is_not_logged_in(site):
    file = {"file": (BytesIO(b"OggS" * 1000), "x.ogg"), "unit_id": COMMUNE, "title": "x"}
    assert site.browser().post("/api/v1/assets", data=file).status_code == 401
    assert not (site.settings.state_dir / "uploads").exists()


def test_logging_out_ends_the_session(site):
    browser = site.browser("viewer")
    token = form_token(browser.get("/").text)
    assert browser.post("/logout", data={"csrf_token": token}).status_code == 302
    assert browser.get("/").status_code == 303


def test_every_answer_forbids_what_our_pages_never_do(site):
    for answer in (site.browser().get("/login"), site.browser().get("/api/v1/nothing")):
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'self'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(site):
    cookie = site.browser().get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_node_gets_audio_with_its_own_secret_and_nothing_else(site):
    with site.sessions.begin() as db:
        node = commissioning.commission(
            db,
            node_id="node-1",
            cluster_id="xa-1-c1",
            now=datetime.now(UTC),
            actor=OPERATOR,
            keyring=site.keyring,
        )
    client = site.app.test_client()
    path = f"/api/v1/assets/{site.digest}"
    assert client.get(path).status_code == 401
    assert client.get(path, auth=("node-1", "wrong")).status_code == 401
    right = client.get(
        path, auth=("node-1", node.secret), headers={"Range": "bytes=4-7"}, buffered=True
    )
    assert right.status_code == 206
    assert right.data == AUDIO[4:8]
    assert client.get("/api/v1/clusters", auth=("node-1", node.secret)).status_code == 401


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example"]
)
def test_neither_logging_in_nor_choosing_a_language_leads_to_another_site(site, elsewhere):
    browser = site.browser()
    token = form_token(browser.get("/login").text)
    person = {"username": "viewer", "password": PASSWORD, "csrf_token": token}
    ways = (
        browser.post("/language", data={"language": "en", "back": elsewhere, "csrf_token": token}),
        browser.post("/login", query_string={"next": elsewhere}, data=person),
    )
    for answer in ways:
        # Who is shown the form again is led nowhere. Browsers read a backslash as a slash, and any
        # number of slashes as two.
        led_to = (answer.location or "/").replace("\\", "/")
        assert re.fullmatch(r"/(?!/).*", led_to), answer.location


def test_a_stream_ends_by_itself_so_that_nobody_listens_on_after_losing_the_account(site):
    installation = site.app.extensions["loa"]
    pieces = list(told(installation, 7, longest_s=0.1))
    assert pieces == ["retry: 2000\nid: 7\ndata: {}\n\n"]


def test_a_zero_character_is_refused_wherever_it_stands(any_site):
    browser = any_site.browser("commune-officer")
    token = form_token(browser.get("/urgent").text)
    form = {"csrf_token": token, "unit_id": COMMUNE, "request_id": "a\0", "asset_digest": "a\0"}
    answers = (
        browser.get("/broadcasts/a%00"),
        browser.get("/as-run?cluster=a%00"),
        browser.post("/urgent", data=form),
        any_site.program("viewer").ask("GET", "/broadcasts/a%00"),
    )
    assert [answer.status_code for answer in answers] == [400] * 4


def test_only_who_may_upload_somewhere_may_send_a_long_file(site):
    parts = {
        'name="unit_id"': COMMUNE.encode(),
        'name="title"': b"Dai",
        'name="file"; filename="x.wav"': bytes(MAX_FORM_BYTES),
    }
    body = b"".join(
        b"--x\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (name.encode(), content)
        for name, content in parts.items()
    )
    sent = {"data": body + b"--x--\r\n", "content_type": "multipart/form-data; boundary=x"}
    answers = {
        role: site.program(role).ask("POST", "/assets", **sent).status_code
        for role in ("viewer", "technician", "commune-officer")
    }
    assert answers == {"viewer": 413, "technician": 413, "commune-officer": 422}
    assert not list(site.settings.upload_dir.glob("*"))


def test_several_web_processes_are_one_wall(site):
    """Each process is an application of its own; what counts lies in the database."""
    form = {"username": "viewer", "password": "sai"}
    statuses = []
    for number in range(12):
        made = site.app if number % 2 else create_app(site.settings)
        program = made.test_client(use_cookies=False)
        answer = program.post("/login", json=form, headers={"Accept": "application/json"})
        statuses.append(answer.status_code)
        if made is not site.app:
            made.extensions["loa"].engine.dispose()
    assert statuses == [400] * 10 + [429] * 2
