"""Rules for clusters that do not answer, on pages and at the API; and who is named by them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from server.store.models import BroadcastRow, ClusterRow, DeliveryRow, NodeRow
from tests.factories.pages import COMMUNE, OTHER, form_token

PAGE = f"/units/{COMMUNE}/escalation"


def sent(browser, path, **fields: object):
    fields["csrf_token"] = form_token(browser.get(PAGE).text)
    return browser.post(path, data=fields)


def announced(site, *, sent_before, request_id="yeu-cau-1", **facts: object):
    """Announce, so that it was sent some time ago."""
    wanted = {
        "request_id": request_id,
        "unit_id": COMMUNE,
        "title": "Lũ",
        "bulletin_class": "emergency",
        "severity": 2,
        "asset_digest": site.digest,
        "units": [COMMUNE],
        **facts,
    }
    program = site.program("commune-officer")
    made = program.ask("POST", "/broadcasts", json=wanted).json["broadcast_id"]
    with site.sessions.begin() as db:
        row = db.get_one(BroadcastRow, made)
        row.created_at -= sent_before
        row.start -= sent_before
        cluster = db.scalars(select(ClusterRow).where(ClusterRow.cluster_id == "xa-1-c1")).one()
        cluster.contact_name, cluster.contact_phone = "Ông Páo", "0912 345 678"
    return made


def test_a_rule_is_seen_changed_and_withdrawn_on_its_page(site):
    officer = site.browser("commune-officer")
    assert "mặc định" in officer.get(PAGE).text
    assert sent(officer, f"{PAGE}/emergency", answer_s="20", start_s="40").status_code == 303
    page = officer.get(PAGE).text
    assert "do đơn vị này quy định" in page
    assert "20 giây" in page
    again = sent(officer, f"{PAGE}/emergency", answer_s="30", start_s="40")
    assert again.status_code == 409
    assert 'id="findings"' in again.text
    assert 'value="20"' in again.text
    version = again.text.split('name="version" value="')[1].split('"')[0]
    assert sent(officer, f"{PAGE}/emergency/withdraw", version=version).status_code == 303
    assert "do đơn vị này quy định" not in officer.get(PAGE).text


@pytest.mark.parametrize("typed", ["", "0", "ba", "99999", "٣٣", "10.5", "-10"])
def test_what_is_no_time_is_told_at_its_field_and_kept(site, typed):
    officer = site.browser("commune-officer")
    answer = sent(officer, f"{PAGE}/emergency", answer_s=typed, start_s="40")
    assert answer.status_code == 422
    assert 'id="answer_s-wrong"' in answer.text
    assert 'id="start_s-wrong"' not in answer.text
    assert f'value="{typed}"' in answer.text


def test_only_who_may_lay_down_rules_finds_the_form(site):
    for name, may in (("viewer", False), ("commune-officer", True), ("top", True)):
        browser = site.browser(name)
        assert (f"{PAGE}/emergency" in browser.get(PAGE).text) is may
        assert browser.get(f"{PAGE}/emergency").status_code == (200 if may else 403)
    assert site.browser("elsewhere").get(PAGE).status_code == 403
    assert site.browser("top").get("/units/tinh/escalation/none").status_code == 404


def test_a_program_reads_lays_down_and_withdraws_the_same_rule(site):
    officer = site.program("commune-officer")
    before = officer.ask("GET", PAGE).json["rules"]
    assert [(one["bulletin_class"], one["unit_id"]) for one in before] == [
        ("emergency", None),
        ("priority", None),
        ("ordinary", None),
    ]
    wanted = {"answer_s": 20, "start_s": 40, "steps": []}
    after = officer.ask("PUT", f"{PAGE}/emergency", json=wanted).json["rules"][0]
    assert after["rule"] == wanted
    assert after["unit_id"] == COMMUNE
    assert officer.ask("PUT", f"{PAGE}/emergency", json=wanted).status_code == 409
    refused = officer.ask("PUT", f"{PAGE}/priority", json={"answer_s": 1, "start_s": 40})
    assert refused.status_code == 422
    assert refused.json["findings"][0]["field"] == "answer_s"
    assert officer.ask("PUT", f"{PAGE}/none", json=wanted).status_code == 422
    gone = officer.ask("DELETE", f"{PAGE}/emergency?version={after['version']}")
    assert gone.json["rules"][0]["unit_id"] is None
    assert site.program("viewer").ask("PUT", f"{PAGE}/emergency", json=wanted).status_code == 403
    assert officer.ask("GET", f"/units/{OTHER}/escalation").status_code == 403


def test_the_page_of_an_announcement_says_whom_to_call_and_by_which_rule(site):
    made = announced(site, sent_before=timedelta(seconds=11))
    page = site.browser("commune-officer").get(f"/broadcasts/{made}").text
    assert "Cần gọi cho ai" in page
    assert 'href="tel:0912345678"' in page
    assert "sau 10 giây chưa trả lời" in page
    told = site.program("commune-officer").ask("GET", f"/broadcasts/{made}").json
    assert told["rule"] == {"answer_s": 10, "start_s": 15, "steps": []}
    assert {one["silence"] for one in told["deliveries"]} == {"no-answer"}


def test_what_a_cluster_waits_for_is_told_on_the_page_and_to_programs(site):
    first = announced(site, sent_before=timedelta(), title="Di dời ngay", severity=3)
    later = announced(
        site, sent_before=timedelta(), request_id="yeu-cau-2", units=[], clusters=["xa-1-c1"]
    )
    instant = datetime.now(UTC)
    with site.sessions.begin() as db:
        node = NodeRow(
            node_id="n-1",
            cluster_id="xa-1-c1",
            secret_hash="none",  # noqa: S106 - no broker is asked
            commissioned_at=instant,
            presence="here",
            last_heard_at=instant,
            on_air=first,
        )
        db.add(node)
        held = select(DeliveryRow).where(DeliveryRow.broadcast_id == later)
        db.scalars(held).one().received_at = instant
    officer = site.browser("commune-officer")
    assert "chờ phát xong “Di dời ngay”" in officer.get(f"/broadcasts/{later}").text
    told = officer.get(f"/api/v1/broadcasts/{later}").json["deliveries"][0]
    assert told["ahead"] == {"broadcast_id": first, "title": "Di dời ngay"}
