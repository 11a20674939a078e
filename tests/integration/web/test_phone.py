"""What the urgent page of a telephone stands on: worker, manifest, and whose page it is."""

import gzip
import json
import re
import shutil

from server.web.static_files import STATIC, urgent_scripts_in
from tests.factories.pages import CLUSTERS, COMMUNE, Site

PERSON = re.compile(r'data-person="([0-9a-f]{16})"')


def an_urgent_form(site: Site, **changed: object) -> dict[str, object]:
    return {
        "request_id": "0" * 32,
        "unit_id": COMMUNE,
        "title": "Cảnh báo lũ",
        "asset_digest": site.digest,
        "village": ",".join(CLUSTERS),
        **changed,
    }


def person_of(browser) -> str:
    return PERSON.search(browser.get("/urgent").text)[1]


def sent_by_script(browser, person: str, form: dict[str, str]):
    headers = {"X-Loa-Person": person}
    token = browser.get("/me", headers=headers).json["csrf_token"]
    return browser.post("/urgent", data={**form, "csrf_token": token}, headers=headers)


def test_a_script_sends_and_is_told_the_address_and_the_same_again_is_the_same(site: Site):
    browser = site.browser("commune-officer")
    person = person_of(browser)
    first = sent_by_script(browser, person, an_urgent_form(site))
    assert first.status_code == 201
    assert first.json["address"].startswith("/broadcasts/b-")
    assert sent_by_script(browser, person, an_urgent_form(site)).json == first.json
    edited = sent_by_script(browser, person, an_urgent_form(site, title="Tin đã sửa"))
    assert (edited.status_code, edited.json["code"]) == (409, "taken")


def test_a_phone_that_lost_its_answer_asks_what_became_of_it_and_only_whose_it_is(site: Site):
    browser = site.browser("commune-officer")
    asked = f"/urgent/sent/{'0' * 32}"
    assert browser.get(asked).json == {"address": None}
    sent = sent_by_script(browser, person_of(browser), an_urgent_form(site))
    assert browser.get(asked).json == {"address": sent.json["address"]}
    assert site.browser("top").get(asked).json == {"address": None}


def test_a_script_is_told_what_is_wrong_in_words(site: Site):
    browser = site.browser("commune-officer")
    answer = sent_by_script(browser, person_of(browser), an_urgent_form(site, village=[]))
    assert answer.status_code == 422
    assert "Chưa chọn cụm loa nào" in answer.json["detail"]


def test_a_page_of_one_person_does_nothing_while_another_is_logged_in(site: Site):
    person = person_of(site.browser("commune-officer"))
    other = site.browser("top")
    token = other.get("/me").json["csrf_token"]
    form = {**an_urgent_form(site), "csrf_token": token}
    for ask in (
        lambda headers: other.get("/me", headers=headers),
        lambda headers: other.post("/urgent", data=form, headers=headers),
    ):
        answer = ask({"X-Loa-Person": person})
        assert (answer.status_code, answer.json["code"]) == (409, "another-person")
    assert other.get("/api/v1/broadcasts").json["broadcasts"] == []


def test_whoever_is_not_logged_in_any_more_is_told_so_as_a_program(site: Site):
    answer = site.browser().get("/me", headers={"X-Loa-Person": "0" * 16})
    assert (answer.status_code, answer.json["code"]) == (401, "not-logged-in")


def test_everything_that_the_worker_keeps_is_there_and_never_changes_under_its_address(site: Site):
    browser = site.browser()
    worker = browser.get("/sw.js")
    assert worker.mimetype == "text/javascript"
    assert worker.headers["Cache-Control"] == "no-cache"
    assert "script-src 'self'" in worker.headers["Content-Security-Policy"]
    facts = json.loads(re.search(r"serve\((.+)\);", worker.text)[1])
    assert re.search(
        r'import \{ serve \} from "(/static/js-[0-9a-f]+/worker/worker.js)"', worker.text
    )
    for address in (*facts["shell"], facts["offline"]):
        answer = browser.get(address, buffered=True)
        assert answer.status_code == 200, address
        if "woff2" not in address and address != facts["offline"]:
            assert answer.cache_control.immutable, address
    assert "Không có mạng" in browser.get(facts["offline"]).text


def test_a_phone_asks_for_the_urgent_pages_script_once_and_in_one_piece(site: Site):
    page = site.browser("commune-officer").get("/urgent").text
    scripts = re.findall(r'<script src="([^"?]+)', page)
    assert scripts == ["/static/vendor/htmx.js", "/static/vendor/urgent.js"]
    shell = json.loads(re.search(r"serve\((.+)\);", site.browser().get("/sw.js").text)[1])["shell"]
    assert sum(".js" in address for address in shell) == len(scripts)


def test_a_page_is_never_given_an_old_script_in_place_of_its_modules(tmp_path):
    def there() -> tuple[str, ...]:
        return urgent_scripts_in.__wrapped__(static)

    static = tmp_path / "static"
    shutil.copytree(STATIC, static)
    assert there() == ("vendor/urgent.js",)
    changed = static / "js" / "urgent" / "hold.js"
    changed.write_text(changed.read_text() + "\n")
    assert (there()[0], set(there()) > {"js/live.js", "js/page.js", "js/urgent/hold.js"}) == (
        "js/urgent_page.js",
        True,
    )
    (static / "vendor" / "manifest.json").unlink()
    assert there()[0] == "js/urgent_page.js"


def test_the_application_turns_with_the_telephone(site: Site):
    # WCAG 2.2, 1.3.4: a telephone may be held either way, and fastened so.
    assert "orientation" not in site.browser().get("/app.webmanifest").json


def test_a_module_under_the_name_of_another_build_is_sent_but_not_kept(site: Site):
    answer = site.browser().get("/static/js-000000000000/urgent.js", buffered=True)
    assert answer.status_code == 200
    assert not answer.cache_control.immutable
    assert site.browser().get("/static/js-000000000000/../../views.py").status_code == 404


def test_what_is_static_and_of_text_is_squeezed_for_whoever_takes_it(site: Site):
    browser = site.browser()
    plain = browser.get("/static/css/app.css", buffered=True)
    squeezed = browser.get(
        "/static/css/app.css", buffered=True, headers={"Accept-Encoding": "gzip"}
    )
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert len(squeezed.data) < len(plain.data) / 3
    assert squeezed.headers["Vary"].count("Accept-Encoding") == 1


def test_a_page_is_squeezed_unless_it_may_repeat_what_stands_in_its_address(site: Site):
    browser, takes = site.browser("viewer"), {"Accept-Encoding": "gzip"}
    plain = browser.get("/")
    squeezed = browser.get("/", headers=takes)
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert squeezed.headers["Vary"].count("Accept-Encoding") == 1
    assert len(squeezed.data) < len(plain.data) / 2
    assert "</html>" in gzip.decompress(squeezed.data).decode()
    for asked in ("/?q=a-guess-at-a-secret", "/units/a-guess-at-a-secret"):
        repeats = browser.get(asked, headers=takes)
        assert "Content-Encoding" not in repeats.headers
        assert repeats.mimetype == "text/html"


def test_the_application_is_described_with_icons_that_are_there(site: Site):
    browser = site.browser()
    about = browser.get("/app.webmanifest")
    assert about.mimetype == "application/manifest+json"
    assert (about.json["start_url"], about.json["display"]) == ("/urgent", "standalone")
    for icon in about.json["icons"]:
        picture = browser.get(icon["src"], buffered=True).data
        assert picture.startswith(b"\x89PNG")
        width = int.from_bytes(picture[16:20])
        assert icon["sizes"] == f"{width}x{width}"


def test_pictures_come_from_nowhere_else_unless_the_operator_names_a_map_server(
    site: Site, open_one
):
    own = site.browser().get("/login").headers["Content-Security-Policy"]
    assert "img-src 'self' data:;" in own
    tiles = "https://ban-do.example/{z}/{x}/{y}.png"
    other = open_one(map_tiles=tiles)
    named = other.browser().get("/login").headers["Content-Security-Policy"]
    assert "img-src 'self' https://ban-do.example data:;" in named
    assert f'data-tiles="{tiles}"' in other.browser("commune-officer").get("/urgent").text
