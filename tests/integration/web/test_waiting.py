"""A second person on pages and at the API, and the page of the rule."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.assent import Line
from server.services import asking, assenting, contacts, microphones
from server.services.contacts import NewContact
from server.services.keyring import FLASK, secret_text
from server.store.models import AssentRuleRow, BroadcastRow, UnitEdgeRow, UnitRow, WaitingRow
from tests.factories.claims import NOON
from tests.factories.live import a_live_key
from tests.factories.pages import COMMUNE, PASSWORD, form_token
from tests.factories.units import OPERATOR

TITLE = "Nước lên nhanh"
WRONG = "sai"


@pytest.fixture
def strict(site):
    """A site where whatever a commune hears takes two people."""
    lines = [Line(1, 0, 0, 0, 2)]
    with site.sessions.begin() as db:
        assenting.lay_down(db, "tinh", lines, version=0, now=NOON, actor=OPERATOR)
    return site


def posted(browser, path, page="/broadcasts", **fields: object):
    fields["csrf_token"] = form_token(browser.get(page).text)
    return browser.post(path, data=fields)


def announced(browser, site, request_id="yeu-cau-1"):
    answer = posted(
        browser,
        "/urgent",
        "/urgent",
        request_id=request_id,
        unit_id=COMMUNE,
        title=TITLE,
        bulletin_class="emergency",
        asset_digest=site.digest,
        unit=COMMUNE,
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def wanted(site, **facts: object):
    return {
        "request_id": "yeu-cau-api",
        "unit_id": COMMUNE,
        "title": TITLE,
        "asset_digest": site.digest,
        "units": [COMMUNE],
        **facts,
    }


def rows(site, kind):
    with site.sessions.begin() as db:
        return db.query(kind).all()


def test_one_asks_the_others_see_it_on_every_page_and_one_press_makes_it_sound(strict):
    officer, other = strict.browser("commune-officer"), strict.browser("broadcaster")
    page = announced(officer, strict)
    mine = officer.get(page).text
    request_id = rows(strict, WaitingRow)[0].request_id
    assert officer.get(f"/urgent/sent/{request_id}").json == {"address": page}
    assert "Chờ người thứ hai đến" in mine
    assert "Người broadcaster" in mine
    assert 'id="confirm-broadcast"' not in mine
    for path in ("/", "/hush", "/urgent"):
        assert TITLE in other.get(path, follow_redirects=True).text
    assert TITLE not in strict.browser("elsewhere").get("/hush").text
    assert TITLE not in strict.browser("viewer").get("/broadcasts").text

    assert "không được tự xác nhận" in posted(officer, f"{page}/confirm").text
    assert rows(strict, BroadcastRow) == []
    assert other.get(f"{page}/heard.ogg").mimetype == "audio/ogg"
    confirmed = posted(other, f"{page}/confirm")
    assert confirmed.headers["Location"] == page
    assert posted(other, f"{page}/confirm").status_code == 303
    [made] = rows(strict, BroadcastRow)
    assert (made.created_by, made.confirmed_by) == ("commune-officer", "broadcaster")
    shown = officer.get(page).text
    assert "Người broadcaster xác nhận" in shown
    assert officer.get(f"{page}/waiting").headers["HX-Refresh"] == "true"


def test_whoever_has_no_second_phone_confirms_on_the_first_with_their_password(strict):
    officer = strict.browser("commune-officer")
    page = announced(officer, strict)

    def here(username, password=PASSWORD):
        return posted(officer, f"{page}/confirm-here", username=username, password=password)

    wrong = here("broadcaster", WRONG).text
    assert "Tên đăng nhập hoặc mật khẩu không đúng" in wrong
    assert 'name="username" value="broadcaster"' in wrong
    assert "không được tự xác nhận" in here("commune-officer").text
    assert here("elsewhere").status_code == here("technician").status_code == 422
    assert rows(strict, BroadcastRow) == []
    assert here(" Broadcaster ").status_code == 303
    assert rows(strict, BroadcastRow)[0].confirmed_by == "broadcaster"
    # The one whose phone it is stays logged in.
    assert "Người commune-officer" in officer.get("/broadcasts").text


def test_nobody_guesses_a_colleagues_password_on_their_own_phone(strict):
    officer = strict.browser("commune-officer")
    page = announced(officer, strict)

    def here(password):
        return posted(officer, f"{page}/confirm-here", username="broadcaster", password=password)

    for number in range(5):
        assert "không đúng" in here(f"doan-{number}").text
    stopped = here(PASSWORD)
    assert stopped.status_code == 422
    assert "Nhập sai mật khẩu quá nhiều lần" in stopped.text
    assert rows(strict, BroadcastRow) == []
    # One's own right password begins nothing anew.
    assert "quá nhiều lần" in posted(officer, "/account/factor/begin", password=PASSWORD).text
    # On a phone of their own the colleague still can.
    assert posted(strict.browser("broadcaster"), f"{page}/confirm").status_code == 303


def test_passwords_tried_all_at_once_are_no_more_guesses_than_one_by_one(strict):
    officer = strict.browser("commune-officer")
    page = announced(officer, strict)
    phones = [strict.browser("commune-officer") for _ in range(9)]

    def guess(phone):
        answer = posted(phone, f"{page}/confirm-here", username="broadcaster", password=WRONG)
        return "quá nhiều lần" in answer.text

    with ThreadPoolExecutor(9) as pool:
        assert sorted(pool.map(guess, phones)) == [False] * 5 + [True] * 4


def test_its_page_names_who_was_told_and_whom_to_call(strict):
    with strict.sessions.begin() as db:
        new = NewContact(COMMUNE, "Bà Mỷ", "0912 345 678")
        one = contacts.add_contact(db, new, now=NOON, actor=OPERATOR).contact_id
        asking.name_account(db, one, "broadcaster", now=NOON, actor=OPERATOR)
    officer = strict.browser("commune-officer")
    page = announced(officer, strict)
    shown = officer.get(page).text
    assert 'href="tel:0912345678"' in shown
    assert "Chờ bạn xác nhận đến" in shown
    program = strict.program("commune-officer")
    [told] = program.ask("GET", page.replace("/broadcasts", "/waiting-broadcasts")).json["told"]
    assert (told["about"], told["contact_name"], told["state"]) == (
        "confirmation",
        "Bà Mỷ",
        "to-call",
    )


def test_a_refusal_needs_a_reason_and_is_listed_with_it(strict):
    officer, other = strict.browser("commune-officer"), strict.browser("top")
    page = announced(officer, strict)
    assert posted(other, f"{page}/refuse", reason="").status_code == 422
    assert posted(other, f"{page}/refuse", reason="Chưa có lệnh").status_code == 303
    assert "Chưa có lệnh" in officer.get(page).text
    assert TITLE in officer.get("/broadcasts").text
    assert rows(strict, BroadcastRow) == []


def test_what_waits_is_withdrawn_like_what_sounds_is_stopped(strict):
    officer = strict.browser("commune-officer")
    page = announced(officer, strict)
    assert posted(officer, f"{page}/stop").status_code == 303
    assert "đã rút" in officer.get(page).text
    assert rows(strict, WaitingRow)[0].state == "withdrawn"


def test_what_waited_for_a_unit_that_has_ended_since_is_still_told_to_its_author(strict):
    officer, other = strict.browser("commune-officer"), strict.browser("top")
    page = announced(officer, strict)
    posted(other, f"{page}/refuse", reason="Chưa có lệnh")
    with strict.sessions.begin() as db:
        row = db.query(WaitingRow).one()
        row.asked_at -= timedelta(days=3)
        yesterday = (row.asked_at + timedelta(days=2)).date()
        db.get_one(UnitRow, "tinh").valid_from = yesterday - timedelta(days=30)
        for kind, named in ((UnitRow, "unit_id"), (UnitEdgeRow, "child_id")):
            ended = db.query(kind).filter_by(**{named: COMMUNE}).one()
            ended.valid_from, ended.valid_to = yesterday - timedelta(days=30), yesterday
    for path in (page, f"{page}/waiting"):
        assert "Chưa có lệnh" in officer.get(path).text


def test_nobody_else_finds_out_what_waits(strict):
    page = announced(strict.browser("commune-officer"), strict)
    stranger = strict.browser("elsewhere")
    for path in (page, f"{page}/waiting", f"{page}/heard.ogg"):
        assert stranger.get(path).status_code == 404
    assert posted(stranger, f"{page}/confirm").status_code == 403
    assert posted(stranger, f"{page}/refuse", reason="x").status_code == 403


def test_before_it_is_sent_it_is_said_that_somebody_has_to_confirm(strict):
    officer = strict.browser("commune-officer")
    fields = {"unit_id": COMMUNE, "title": TITLE, "asset_digest": strict.digest, "unit": COMMUNE}
    asked = posted(officer, "/urgent/confirm", "/urgent", **fields)
    assert 'data-lacking="second-person-needed"' in asked.text


def test_a_program_is_told_what_is_missing_or_lets_it_wait(strict):
    officer, other = strict.program("commune-officer"), strict.program("broadcaster")
    alone = officer.ask("POST", "/broadcasts", json=wanted(strict))
    assert (alone.status_code, alone.json["code"]) == (403, "second-person-needed")
    assert alone.json["findings"][0]["code"] == "second-person-needed"

    waits = officer.ask("POST", "/broadcasts", json=wanted(strict, wait=True))
    assert (waits.status_code, waits.json["state"]) == (202, "waiting")
    # The rule is withdrawn meanwhile: what waits still is one announcement, and not two.
    with strict.sessions.begin() as db:
        assenting.lay_down(db, "tinh", [], version=1, now=NOON, actor=OPERATOR)
    again = officer.ask("POST", "/broadcasts", json=wanted(strict))
    assert (again.status_code, again.json["code"]) == (403, "second-person-needed")
    path = f"/waiting-broadcasts/{waits.json['broadcast_id']}"
    [listed] = other.ask("GET", "/waiting-broadcasts").json["waiting"]
    assert listed == other.ask("GET", path).json == waits.json
    assert strict.program("elsewhere").ask("GET", "/waiting-broadcasts").json == {"waiting": []}
    assert officer.ask("POST", f"{path}/confirm").json["code"] == "waiting-refused"
    assert other.ask("POST", f"{path}/confirm").json["state"] == "confirmed"
    assert other.ask("POST", f"{path}/confirm").json["decided_by"] == "broadcaster"
    again = officer.ask("POST", "/broadcasts", json=wanted(strict, wait=True))
    assert (again.status_code, again.json["broadcast"]["confirmed_by"]) == (201, "broadcaster")
    assert other.ask("POST", f"{path}/withdraw").status_code == 422


def test_a_program_refuses_or_withdraws(strict):
    officer, other = strict.program("commune-officer"), strict.program("broadcaster")
    for number, (way, body) in enumerate((("refuse", {"reason": "Không"}), ("withdraw", None))):
        facts = wanted(strict, wait=True, request_id=f"yeu-cau-{number}")
        made = officer.ask("POST", "/broadcasts", json=facts).json["broadcast_id"]
        answer = other.ask("POST", f"/waiting-broadcasts/{made}/{way}", json=body)
        assert answer.json["decided_by"] == "broadcaster", answer.text


def test_a_program_that_stops_what_still_waits_has_it_never_sound(strict):
    officer, other = strict.program("commune-officer"), strict.program("broadcaster")
    made = officer.ask("POST", "/broadcasts", json=wanted(strict, wait=True)).json["broadcast_id"]
    for _ in range(2):
        stopped = officer.ask("POST", f"/broadcasts/{made}/stop")
        assert (stopped.status_code, stopped.json["state"]) == (202, "withdrawn")
    assert other.ask("POST", f"/waiting-broadcasts/{made}/confirm").status_code == 422
    assert rows(strict, BroadcastRow) == []


def test_who_speaks_live_has_the_second_person_beside_them(strict):
    officer = strict.browser("commune-officer")
    fields = {"unit_id": COMMUNE, "title": TITLE, "unit": COMMUNE, "bulletin_class": "emergency"}

    def asked(**more: object):
        return posted(officer, "/urgent/speak", "/urgent", **fields, **more)

    alone = asked()
    assert alone.status_code == 403
    assert 'name="second_password"' in alone.text
    for name, password in (
        ("broadcaster", "sai"),
        ("commune-officer", PASSWORD),
        ("technician", PASSWORD),
    ):
        refused = asked(second_username=name, second_password=password)
        assert "data-ticket" not in refused.text
    page = asked(second_username="broadcaster", second_password=PASSWORD)
    (text,) = re.findall(r'data-ticket="([^"]+)"', page.text)
    secret = secret_text(strict.settings.secrets_dir, FLASK)
    ticket = microphones.read_ticket(text, secret=secret, now=datetime.now(UTC))
    with strict.sessions.begin() as db:
        on_air = microphones.go_on_air(
            db,
            ticket,
            public_key=a_live_key().public_key(),
            delay=timedelta(seconds=1),
            now=datetime.now(UTC),
            actor=microphones.speaker(db, ticket.username),
            keyring=strict.keyring,
        )
    [made] = rows(strict, BroadcastRow)
    assert (made.broadcast_id, made.confirmed_by) == (on_air.broadcast_id, "broadcaster")


def test_the_rule_is_a_table_that_the_province_fills_in_and_everybody_reads(site):
    top, officer = site.browser("top"), site.browser("commune-officer")
    assert officer.get("/assent").headers["Location"] == "/units/tinh/assent"
    read = officer.get("/units/tinh/assent").text
    assert "22:00–05:00" in read
    assert "<select" not in read
    table = {
        "version": "0",
        "level": ["1", ""],
        "start_hour": ["21", "0"],
        "end_hour": ["6", "0"],
        "over_clusters": ["1", "0"],
        "persons": ["2", "2"],
        "factor": ["0"],
    }
    path = "/units/tinh/assent"
    wrong = posted(top, path, path, **{**table, "over_clusters": ["nhiều", "0"]})
    assert wrong.status_code == 422
    assert "số nguyên" in wrong.text
    assert posted(top, path, path, **table).status_code == 303
    assert posted(top, path, path, **table).status_code == 409
    assert posted(officer, path, **table).status_code == 403
    [row] = rows(site, AssentRuleRow)
    assert row.lines == {
        "lines": [
            {
                "level": 1,
                "start_hour": 21,
                "end_hour": 6,
                "over_clusters": 1,
                "persons": 2,
                "factor": True,
            }
        ]
    }
    assert "21:00–06:00" in officer.get(path).text


def test_a_program_reads_the_rule_and_lays_it_down_from_what_it_has_seen(site):
    top, officer = site.program("top"), site.program("commune-officer")
    path = "/units/tinh/assent"
    seen = officer.ask("GET", f"/units/{COMMUNE}/assent").json
    assert (seen["unit_id"], seen["version"], len(seen["lines"])) == ("tinh", 0, 2)
    wanted = {"version": 0, "lines": seen["lines"][:1]}
    assert officer.ask("PUT", path, json=wanted).status_code == 403
    laid_down = top.ask("PUT", path, json=wanted)
    assert (laid_down.json["version"], laid_down.json["lines"]) == (1, wanted["lines"])
    assert laid_down.json["changed_by"] == "top"
    assert top.ask("PUT", path, json=wanted).json["code"] == "changed-meanwhile"
    other_level = {**wanted["lines"][0], "level": 5}
    wrong = top.ask("PUT", path, json={"version": 1, "lines": [other_level]})
    assert (wrong.status_code, wrong.json["code"]) == (422, "rule-refused")
