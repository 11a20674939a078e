"""Silence on pages, at the API and at the command line: one hushes, two lift, everybody sees it."""

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from server.cli import loa
from server.store.models import AuditRow, DeliveryRow, HushRow
from tests.factories.pages import COMMUNE, OTHER, PASSWORD, form_token

REASON = "Tài khoản bị lộ"


def sent(browser, path, **fields: object):
    fields["csrf_token"] = form_token(browser.get("/hush").text)
    return browser.post(path, data=fields)


def hushed(browser, unit_id=COMMUNE, **fields: object):
    facts = {"unit_id": unit_id, "reason": REASON, "spares_emergencies": "no", "mode": "real"}
    asked = sent(browser, "/hush/confirm", **{**facts, **fields})
    assert asked.status_code == 200, asked.text
    answer = sent(browser, "/hush", **{**facts, **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_one_person_silences_and_two_lift_and_every_page_says_so_meanwhile(site):
    officer, other = site.browser("commune-officer"), site.browser("top")
    page = hushed(officer)
    banner = "LỆNH IM LẶNG: không cụm loa nào được phát"
    for path in ("/", "/broadcasts", page):
        assert banner in officer.get(path, follow_redirects=True).text
        assert banner in other.get(path, follow_redirects=True).text
    assert banner not in site.browser("elsewhere").get("/broadcasts").text

    alone = sent(officer, f"{page}/lift")
    assert alone.status_code == 422
    assert "chưa có ai đề nghị" in alone.text
    assert sent(officer, f"{page}/ask-lift").status_code == 303
    assert 'id="lift"' not in officer.get(page).text
    assert "không được tự duyệt" in sent(officer, f"{page}/lift").text
    assert 'id="lift"' in other.get(page).text
    assert sent(other, f"{page}/lift").status_code == 303
    assert banner not in officer.get("/broadcasts").text
    assert "đề nghị gỡ" in officer.get(page).text


def test_a_commune_sees_the_silence_of_the_province_over_it_with_its_own_clusters_alone(site):
    page = hushed(site.browser("top"), "tinh")
    seen = site.browser("commune-officer").get(page).text
    assert "xa-1-c1" in seen
    assert "xa-2-c1" not in seen
    assert 'id="ask-lift"' not in seen


def test_what_waits_for_the_end_of_the_silence_is_named_so_that_it_can_be_stopped(site):
    program = site.program("commune-officer")
    made = program.ask(
        "POST",
        "/broadcasts",
        json={
            "request_id": "yeu-cau-1",
            "unit_id": COMMUNE,
            "title": "Tin lạ",
            "asset_digest": site.digest,
            "units": [COMMUNE],
        },
    ).json["broadcast_id"]
    officer = site.browser("commune-officer")
    page = hushed(officer)
    assert "Tin lạ" in officer.get(page).text
    with site.sessions.begin() as db:
        for delivery in db.query(DeliveryRow).filter_by(broadcast_id=made):
            delivery.state = "received"
    watched = officer.get(f"/broadcasts/{made}").text
    assert "Đã nhận, đang im lặng theo lệnh" in watched
    assert "sắp phát" not in watched
    program.ask("POST", f"/broadcasts/{made}/stop")
    assert "Tin lạ" not in officer.get(page).text


def test_a_drill_looks_like_a_drill_wherever_it_is_shown(site):
    officer = site.browser("commune-officer")
    page = hushed(officer, mode="drill")
    shown = officer.get(page).text
    assert "drill-page" in shown
    assert "DIỄN TẬP" in shown
    assert "LỆNH IM LẶNG" not in officer.get("/broadcasts").text
    assert "đang diễn tập lệnh im lặng" in officer.get("/broadcasts").text


def test_what_is_wrong_is_said_at_the_form(site):
    officer = site.browser("commune-officer")
    facts = {"unit_id": COMMUNE, "reason": " ", "spares_emergencies": "no", "mode": "real"}
    for path in ("/hush/confirm", "/hush"):
        answer = sent(officer, path, **facts)
        assert answer.status_code == 422
        assert "Hãy ghi lý do" in answer.text


@pytest.mark.parametrize("who", ["technician", "viewer", "elsewhere"])
def test_who_may_not_announce_here_neither_silences_nor_lifts(site, who):
    program, top = site.program(who), site.program("top")
    wanted = {"unit_id": COMMUNE, "reason": REASON}
    assert program.ask("POST", "/hushes", json=wanted).status_code == 403
    hush_id = top.ask("POST", "/hushes", json=wanted).json["hush"]["hush_id"]
    for act in ("lift-request", "lift"):
        assert program.ask("POST", f"/hushes/{hush_id}/{act}").status_code == 403


def test_programs_hush_ask_and_lift_under_the_same_rules(any_site):
    one, other = any_site.program("commune-officer"), any_site.program("top")
    made = one.ask("POST", "/hushes", json={"unit_id": COMMUNE, "reason": REASON})
    assert made.status_code == 201
    assert made.json["counts"] == {"none": 2}
    hush_id = made.json["hush"]["hush_id"]
    listed = other.ask("GET", "/hushes").json["hushes"]
    assert [row["hush_id"] for row in listed] == [hush_id]
    assert any_site.program("elsewhere").ask("GET", f"/hushes/{hush_id}").status_code == 403
    one.ask("POST", f"/hushes/{hush_id}/lift-request")
    own = one.ask("POST", f"/hushes/{hush_id}/lift")
    assert own.status_code == 422
    assert own.json["findings"][0]["code"] == "own-lift"
    lifted = other.ask("POST", f"/hushes/{hush_id}/lift").json["hush"]
    assert (lifted["lift_asked_by"], lifted["ended_by"]) == ("commune-officer", "top")


def typed(site, *words: str):
    return CliRunner().invoke(loa, [*words, "--state", str(site.settings.state_dir)])


def test_at_the_command_line_one_hushes_and_two_accounts_lift(site):
    silenced = typed(site, "hush", "tinh", "--reason", REASON)
    assert silenced.exit_code == 0, silenced.output
    account = ("--password", PASSWORD, "--user")
    assert typed(site, "lift", "tinh", "--user", "top", "--password", "x").exit_code == 1
    assert "asked" in typed(site, "lift", "tinh", *account, "top").output
    again = typed(site, "lift", "tinh", *account, "top")
    assert "own-lift" in str(again.exception)
    site.let_in("truc-ban", "broadcaster", "tinh")
    assert "may sound again" in typed(site, "lift", "tinh", *account, "truc-ban").output
    assert typed(site, "lift", OTHER, *account, "top").exit_code == 1
    with site.sessions.begin() as db:
        assert db.scalars(select(HushRow.ended_by)).all() == ["truc-ban"]
        lifts = select(AuditRow.actor).where(AuditRow.action == "lift-hush")
        assert db.scalars(lifts).all() == ["truc-ban"]
