"""People to be told, on pages and at the API: entered, given channels, tested, named in a rule."""

from datetime import UTC, datetime, timedelta

import pytest

from server.domain.alerts import Answer, Result
from server.integrations.fake_messenger import FakeMessenger
from server.scheduler.couriers import Courier
from server.services import escalating
from server.store.models import BroadcastRow
from tests.factories.pages import COMMUNE, OTHER, form_token

LIST = f"/units/{COMMUNE}/contacts"
RULE = f"/units/{COMMUNE}/escalation/emergency"
SECRET = "token-that-nobody-may-see"  # noqa: S105 - of a channel that lives for one test
URL = f"zalo://123456:{SECRET}/789"


def sent(browser, path, **fields: object):
    fields["csrf_token"] = form_token(browser.get(LIST).text)
    return browser.post(path, data=fields)


def entered(site, *, url=""):
    """Enter somebody, with a channel if there is an address; give the person's and its id."""
    program = site.program("commune-officer")
    one = program.ask("POST", LIST, json={"name": "Ông Páo", "phone": "0912 345 678"}).json
    if url:
        channel = {"name": "Zalo trực ban", "url": url}
        path = f"/contacts/{one['contact_id']}/channels"
        one = program.ask("POST", path, json=channel).json
    channels = [each["channel_id"] for each in one["channels"]]
    return one["contact_id"], *channels


def deliver(site, messenger, now: datetime):
    return Courier(site.sessions, site.sessions, site.keyring, messenger, lambda: now).step()


def test_somebody_is_entered_given_a_channel_tested_and_forgotten_on_their_pages(site):
    officer = site.browser("commune-officer")
    assert "Ở đây chưa có ai" in officer.get(LIST).text
    made = sent(officer, LIST, name="Ông Páo", phone="0912 345 678", language="vi")
    assert made.status_code == 303
    page = made.headers["Location"]
    assert 'href="tel:0912345678"' in officer.get(LIST).text
    assert sent(officer, f"{page}/channels", channel_name="Zalo", url=URL).status_code == 303
    shown = officer.get(page).text
    assert "zalo" in shown
    test = shown.split('/test"')[0].rsplit('action="', 1)[1] + "/test"
    assert sent(officer, test).status_code == 303
    assert "Chờ gửi" in officer.get(f"{page}/channels").text
    again = sent(officer, test)
    assert again.status_code == 422
    assert "Vừa gửi tin thử" in again.text
    now = datetime.now(UTC)
    words = Answer(Result.FAILED, "quota of the bot is over")
    assert deliver(site, FakeMessenger({URL: words}), now) == 1
    answered = officer.get(page).text
    assert "dịch vụ không nhận" in answered
    assert "quota of the bot is over" in answered
    for shown in (answered, officer.get(LIST).text, again.text):
        assert SECRET not in shown
    assert sent(officer, test.replace("/test", "/forget")).status_code == 303
    assert "Chưa có kênh nào" in officer.get(page).text
    assert sent(officer, f"{page}/forget").status_code == 303
    assert "Ở đây chưa có ai" in officer.get(LIST).text
    assert officer.get(page).status_code == 404


def test_the_account_of_somebody_is_chosen_from_those_that_may_announce_there(site):
    officer = site.browser("commune-officer")
    (one,) = entered(site)
    page = f"/contacts/{one}"
    assert '<option value="broadcaster"' in officer.get(page).text
    for nobody in ("viewer", "elsewhere"):
        assert f'<option value="{nobody}"' not in officer.get(page).text
    assert sent(officer, f"{page}/account", login="broadcaster").status_code == 303
    assert '<option value="broadcaster" selected' in officer.get(page).text
    refused = sent(officer, f"{page}/account", login="viewer")
    assert refused.status_code == 422
    assert 'id="login-wrong"' in refused.text
    program = site.program("commune-officer")
    named = program.ask("PUT", f"{page}/account", json={"login": ""})
    assert (named.status_code, named.json["login"]) == (200, "")
    wrong = program.ask("PUT", f"{page}/account", json={"login": "nobody"})
    assert (wrong.status_code, wrong.json["findings"][0]["field"]) == (422, "login")


def test_what_is_wrong_is_told_at_its_field_and_a_wrong_address_is_not_shown_again(site):
    officer = site.browser("commune-officer")
    refused = sent(officer, LIST, name="", phone="không", language="vi")
    assert refused.status_code == 422
    assert 'id="name-wrong"' in refused.text
    assert 'id="phone-wrong"' in refused.text
    (one,) = entered(site)
    wrong = sent(officer, f"/contacts/{one}/channels", channel_name="Kênh", url=f"ftp://{SECRET}")
    assert wrong.status_code == 422
    assert 'id="url-wrong"' in wrong.text
    assert 'value="Kênh"' in wrong.text
    assert SECRET not in wrong.text


def test_a_program_is_refused_an_address_of_another_service_on_both_engines(any_site):
    (one,) = entered(any_site)
    program = any_site.program("commune-officer")
    path = f"/contacts/{one}/channels"
    refused = program.ask("POST", path, json={"name": "Tệp", "url": "file:///tmp/x"})
    assert refused.status_code == 422
    assert refused.json["findings"][0]["field"] == "url"


@pytest.mark.parametrize(("name", "may"), [("viewer", False), ("top", True), ("elsewhere", None)])
def test_only_who_may_lay_down_rules_changes_people_and_others_may_look_or_not(site, name, may):
    one, channel = entered(site, url=URL)
    browser, program = site.browser(name), site.program(name)
    assert browser.get(LIST).status_code == (403 if may is None else 200)
    allowed = bool(may)
    assert browser.get(f"/contacts/{one}").status_code == (200 if allowed else 403)
    assert program.ask("GET", LIST).status_code == (403 if may is None else 200)
    tested = program.ask("POST", f"/channels/{channel}/test")
    assert tested.status_code == (202 if allowed else 403)
    gone = program.ask("DELETE", f"/channels/{channel}")
    assert gone.status_code == (204 if allowed else 403)
    assert program.ask("DELETE", f"/contacts/{one}").status_code == (204 if allowed else 403)
    assert program.ask("POST", f"/units/{OTHER}/contacts", json={"name": "X"}).status_code == (
        201 if name in {"top", "elsewhere"} else 403
    )


def test_a_program_is_told_of_people_and_of_a_test_but_never_of_an_address(site):
    one, channel = entered(site, url=URL)
    program = site.program("commune-officer")
    asked = program.ask("POST", f"/channels/{channel}/test")
    assert asked.json["channels"][0]["test"]["state"] == "waiting"
    listed = program.ask("GET", LIST)
    assert [each["contact_id"] for each in listed.json["contacts"]] == [one]
    assert SECRET not in asked.text + listed.text
    assert program.ask("DELETE", "/contacts/nobody").status_code == 404
    assert program.ask("POST", "/channels/none/test").status_code == 404


def test_a_rule_with_steps_is_typed_shown_and_followed_to_the_page_of_the_announcement(site):
    one, _channel = entered(site, url=URL)
    officer = site.browser("commune-officer")
    facts = {"answer_s": "10", "start_s": "15", "step_1": "10", "contact_1": one, "step_3": "60"}
    refused = sent(officer, RULE, **facts)
    assert refused.status_code == 422
    assert 'id="step_2-wrong"' in refused.text
    assert f'value="{one}" checked' in refused.text
    assert sent(officer, RULE, **{**facts, "contact_3": one}).status_code == 303
    assert "sau 60 giây: Ông Páo" in " ".join(officer.get(RULE.rpartition("/")[0]).text.split())

    wanted = {
        "request_id": "yeu-cau-1",
        "unit_id": COMMUNE,
        "title": "Lũ",
        "bulletin_class": "emergency",
        "severity": 2,
        "asset_digest": site.digest,
        "units": [COMMUNE],
    }
    program = site.program("commune-officer")
    made = program.ask("POST", "/broadcasts", json=wanted).json["broadcast_id"]
    with site.sessions.begin() as db:
        now = db.get_one(BroadcastRow, made).created_at + timedelta(seconds=11)
        escalating.name_unanswered(db, now=now, site="https://loa.vn")
    messenger = FakeMessenger()
    assert deliver(site, messenger, now) == 1
    assert messenger.sent[0].url == URL
    page = officer.get(f"/broadcasts/{made}").text
    assert "Đã báo tin cho ai" in page
    assert "2/2 cụm loa chưa trả lời hoặc chưa phát" in page
    assert SECRET not in page
    (told,) = program.ask("GET", f"/broadcasts/{made}").json["told"]
    assert (told["contact_name"], told["state"], told["after_s"]) == ("Ông Páo", "sent", 10)
