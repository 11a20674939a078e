"""A second factor on pages and at the API: set up, asked for in place, and never a lock-out."""

import html
import re
import time

import pytest
import time_machine
from passlib.totp import TOTP

from server.domain.assent import Line
from server.http.context import now
from server.services import assenting
from server.store.models import BroadcastRow, UserRow, WaitingRow
from tests.factories.claims import NOON
from tests.factories.codes import STEP, give_known_secrets, shown, wrong
from tests.factories.pages import COMMUNE, PASSWORD, form_token
from tests.factories.units import OPERATOR

TITLE = "Nước lên nhanh"
WRONG = "sai"


@pytest.fixture(autouse=True)
def in_the_middle_of_a_step(monkeypatch):
    """What the phone shows does not change while a page is on its way."""
    give_known_secrets(monkeypatch)
    middle = (time.time() // STEP.total_seconds() + 0.5) * STEP.total_seconds()
    with time_machine.travel(middle):
        yield


@pytest.fixture
def strict(site):
    """A site where each emergency of a commune asks for a second factor."""
    lines = [Line(1, 0, 0, 0, 1, factor=True)]
    with site.sessions.begin() as db:
        assenting.lay_down(db, "tinh", lines, version=0, now=NOON, actor=OPERATOR)
    return site


def posted(browser, path, *, person: str = "", **fields: object):
    fields["csrf_token"] = form_token(browser.get("/broadcasts").text)
    headers = {"X-Loa-Person": person} if person else {}
    return browser.post(path, data=fields, headers=headers)


def script_person(browser) -> str:
    return re.findall(r'data-person="([^"]+)"', browser.get("/urgent").text)[0]


def sent(browser, site, request_id="yeu-cau-1", **more: object):
    facts = {
        "request_id": request_id,
        "unit_id": COMMUNE,
        "title": TITLE,
        "bulletin_class": "emergency",
        "asset_digest": site.digest,
        "unit": COMMUNE,
        **more,
    }
    return posted(browser, "/urgent", person=script_person(browser), **facts)


def set_up(browser):
    """Set it up with the code of the step before, so that the present one is still good."""
    assert posted(browser, "/account/factor/begin", password=PASSWORD).status_code == 303
    page = browser.get("/account").text
    key = html.unescape(re.findall(r'<code translate="no">([^<]+)</code>', page)[0])
    phone = TOTP(key=key.replace("-", ""), format="base32")
    first = shown(phone, now() - STEP)
    answer = posted(browser, "/account/factor/confirm", code=first)
    assert answer.headers["Cache-Control"] == "no-store"
    return phone, re.findall(r'<code translate="no">([^<]+)</code>', answer.text)


def broadcasts(site):
    with site.sessions.begin() as db:
        return db.query(BroadcastRow).all()


def test_its_owner_sets_it_up_with_a_picture_and_gets_recovery_codes_once(site):
    officer = site.browser("commune-officer")
    assert officer.get("/account/factor.svg").status_code == 422
    assert (
        "Mật khẩu của bạn không đúng"
        in posted(officer, "/account/factor/begin", password=WRONG).text
    )
    posted(officer, "/account/factor/begin", password=PASSWORD)
    picture = officer.get("/account/factor.svg")
    assert (picture.mimetype, picture.headers["Cache-Control"]) == ("image/svg+xml", "no-store")
    assert picture.data.startswith(b"<?xml")
    assert b"<script" not in picture.data
    _phone, codes = set_up(officer)
    assert len(codes) == 10
    assert codes[0] not in officer.get("/account").text
    assert "Còn 10 mã dự phòng" in officer.get("/account").text


def test_the_urgent_page_asks_in_place_and_sends_when_it_is_proven(strict):
    officer = strict.browser("commune-officer")
    phone, codes = set_up(officer)
    officer = strict.browser("commune-officer")  # another log-in has proven nothing
    refused = sent(officer, strict)
    assert (refused.status_code, refused.json["code"]) == (403, "second-factor-needed")
    person = script_person(officer)
    refused = posted(officer, "/account/factor/prove", person=person, code="sai")
    assert (refused.status_code, refused.json["code"]) == (422, "factor-refused")
    code = shown(phone, now())
    proven = posted(officer, "/account/factor/prove", person=person, code=code)
    assert proven.json == {"fresh_min": 15}
    assert sent(officer, strict).status_code == 201
    again = posted(officer, "/account/factor/prove", person=person, code=code)
    assert again.status_code == 422
    assert sent(officer, strict, "yeu-cau-2").status_code == 201
    assert [row.confirmed_by for row in broadcasts(strict)] == [None, None]

    without_phone = strict.browser("commune-officer")
    posted(without_phone, "/account/factor/prove", code=codes[0])
    assert sent(without_phone, strict, "yeu-cau-3").status_code == 201


def test_what_was_proven_is_worth_nothing_to_the_next_who_logs_in_there(strict):
    phone_of = strict.browser("commune-officer")
    set_up(phone_of)
    assert sent(phone_of, strict).status_code == 201
    other = strict.browser("broadcaster")
    set_up(other)
    with phone_of.session_transaction() as theirs, other.session_transaction() as mine:
        mine["factor"] = dict(theirs["factor"])
    assert sent(other, strict, "yeu-cau-2").json["code"] == "second-factor-needed"


def test_a_log_in_later_than_the_proof_asks_for_it_anew(strict):
    officer = strict.browser("commune-officer")
    set_up(officer)
    assert sent(officer, strict).status_code == 201
    with officer.session_transaction() as cookie:
        assert cookie["fs_paa"] <= cookie["factor"]["at"]
        cookie["fs_paa"] = cookie["factor"]["at"] + 1
    assert sent(officer, strict, "yeu-cau-2").json["code"] == "second-factor-needed"


def test_whoever_has_none_is_told_early_and_sends_through_somebody_else(strict):
    officer, other = strict.browser("commune-officer"), strict.browser("broadcaster")
    assert 'id="factor-missing"' in officer.get("/urgent").text
    assert sent(officer, strict).json["code"] == "second-factor-needed"
    waits = sent(officer, strict, prefers_other="yes")
    assert waits.status_code == 201
    assert broadcasts(strict) == []
    assert posted(other, f"{waits.json['address']}/confirm").status_code == 303
    [made] = broadcasts(strict)
    assert (made.created_by, made.confirmed_by) == ("commune-officer", "broadcaster")


def test_where_there_is_neither_factor_nor_anybody_else_it_goes(strict):
    with strict.sessions.begin() as db:
        for row in db.query(UserRow).filter(UserRow.username != "commune-officer"):
            row.active = False
    assert sent(strict.browser("commune-officer"), strict).status_code == 201
    assert len(broadcasts(strict)) == 1


def test_what_is_no_emergency_asks_for_nothing(strict):
    officer = strict.browser("commune-officer")
    assert sent(officer, strict, bulletin_class="priority").status_code == 201


def test_a_program_gives_its_code_with_the_announcement(strict):
    phone, _codes = set_up(strict.browser("commune-officer"))
    program = strict.program("commune-officer")
    facts = {
        "request_id": "yeu-cau-api",
        "unit_id": COMMUNE,
        "title": TITLE,
        "bulletin_class": "emergency",
        "asset_digest": strict.digest,
        "units": [COMMUNE],
    }

    def ask(**more: object):
        return program.ask("POST", "/broadcasts", json={**facts, **more})

    assert ask().json["code"] == "second-factor-needed"
    assert ask(code=wrong(phone, now())).json["code"] == "factor-refused"
    code = shown(phone, now())
    assert ask(code=code).status_code == 201
    assert ask(code=code).status_code == 201  # the same announcement, told again
    other = ask(request_id="yeu-cau-api-2", code=code)
    assert other.json["findings"][0]["code"] == "wrong-code"
    waits = ask(request_id="yeu-cau-api-3", wait=True)
    assert (waits.status_code, waits.json["state"]) == (202, "waiting")
    with strict.sessions.begin() as db:
        assert db.query(WaitingRow).count() == 1


def test_who_speaks_live_types_the_code_before_the_microphone(strict):
    phone, _codes = set_up(strict.browser("commune-officer"))
    officer = strict.browser("commune-officer")
    fields = {"unit_id": COMMUNE, "title": TITLE, "unit": COMMUNE, "bulletin_class": "emergency"}
    assert posted(officer, "/urgent/speak", **fields).status_code == 403
    assert "drill-banner" in posted(officer, "/urgent/speak", **fields, mode="drill").text
    refused = posted(officer, "/urgent/speak", **fields, second_code="000")
    assert "Mã này không đúng" in refused.text
    code = shown(phone, now())
    assert "data-ticket" in posted(officer, "/urgent/speak", **fields, second_code=code).text
    assert "data-ticket" in posted(officer, "/urgent/speak", **fields).text


def test_a_guesser_is_stopped_in_every_process_and_told_so(strict):
    officer = strict.browser("commune-officer")
    phone, _codes = set_up(officer)
    person = script_person(officer)
    tries = [posted(officer, "/account/factor/prove", person=person, code="sai") for _ in range(5)]
    assert [answer.status_code for answer in tries] == [422] * 4 + [429]
    assert int(tries[-1].headers["Retry-After"]) > 0
    assert "phút" in tries[-1].json["detail"]
    elsewhere = strict.browser("commune-officer")
    right = posted(elsewhere, "/account/factor/prove", code=shown(phone, now()))
    assert right.status_code == 429


def test_to_change_it_takes_the_password_and_the_factor_there_is(site):
    officer = site.browser("commune-officer")
    _phone, codes = set_up(officer)
    thief = site.browser("commune-officer")
    for path in ("begin", "codes", "remove"):
        answer = posted(thief, f"/account/factor/{path}", password=PASSWORD)
        assert answer.status_code == 422
        assert "Trước hết hãy nhập mã" in answer.text
    posted(officer, "/account/factor/prove", code=codes[0])
    more = posted(officer, "/account/factor/codes", password=PASSWORD)
    assert codes[1] not in more.text
    assert posted(officer, "/account/factor/remove", password=PASSWORD).status_code == 303
    assert "Đã thiết lập" not in officer.get("/account").text


def test_what_its_owner_has_begun_and_left_lying_is_finished_by_nobody_without_the_factor(site):
    officer = site.browser("commune-officer")
    _phone, codes = set_up(officer)
    assert posted(officer, "/account/factor/begin", password=PASSWORD).status_code == 303
    assert 'id="set-up"' in officer.get("/account").text
    thief = site.browser("commune-officer")
    assert 'id="set-up"' not in thief.get("/account").text
    assert thief.get("/account/factor.svg").status_code == 422
    refused = posted(thief, "/account/factor/confirm", code="123456")
    assert "Trước hết hãy nhập mã" in refused.text
    posted(thief, "/account/factor/prove", code=codes[0])
    assert 'id="set-up"' in thief.get("/account").text
