"""What each role may do at the API, in its own commune and elsewhere."""

from datetime import date, datetime, timedelta
from io import BytesIO

import pytest

from server.domain.authority import ALLOWED, Action, Role
from server.domain.recurrence import LOCAL
from server.store.queries import lists
from tests.factories.pages import CLUSTERS, COMMUNE, OTHER
from tests.factories.units import PROVINCE

TOMORROW = (date.today() + timedelta(days=2)).isoformat()  # noqa: DTZ011 - any later day will do


def a_slot(digest, **changed: object):
    return {
        "unit_id": COMMUNE,
        "title": "Bản tin sáng",
        "assets": [digest],
        "recurrence": "daily",
        "local_start": "05:30",
        "first_day": TOMORROW,
        "units": [COMMUNE],
        **changed,
    }


def an_announcement(digest, **changed: object):
    return {
        "request_id": "request-00000001",
        "unit_id": COMMUNE,
        "title": "Cảnh báo lũ",
        "asset_digest": digest,
        "units": [COMMUNE],
        **changed,
    }


def deeds(digest):
    """One request for each action, that succeeds with 200 or 201 when it is allowed."""
    emergency = {"request_id": "request-00000002", "bulletin_class": "emergency", "severity": 2}
    return {
        Action.VIEW: ("GET", f"/slots?unit_id={COMMUNE}", {}),
        Action.SCHEDULE: ("POST", "/slots", {"json": a_slot(digest)}),
        Action.ANNOUNCE: ("POST", "/broadcasts", {"json": an_announcement(digest)}),
        Action.ANNOUNCE_EMERGENCY: (
            "POST",
            "/broadcasts",
            {"json": an_announcement(digest, **emergency)},
        ),
    }


@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_what_was_granted_and_nothing_else(site, role):
    program = site.program(role.value)
    for action, (method, path, arguments) in deeds(site.digest).items():
        answer = program.ask(method, path, **arguments)
        allowed = action in ALLOWED[role]
        assert (answer.status_code in {200, 201}) is allowed, (action, answer.json)
        if not allowed:
            assert answer.status_code == 403
            assert answer.json["code"] == "not-allowed"
            assert answer.json["action"] == action.value


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TECHNICIAN])
def test_who_may_not_upload_is_refused_before_anything_is_prepared(site, role):
    answer = site.program(role.value).ask(
        "POST",
        "/assets",
        data={"file": (BytesIO(b"no audio"), "x.mp3"), "unit_id": COMMUNE, "title": "x"},
    )
    assert answer.status_code == 403


def test_a_grant_reaches_no_other_commune(site):
    program = site.program("elsewhere")
    for method, path, arguments in deeds(site.digest).values():
        assert program.ask(method, path, **arguments).status_code == 403
    shown = {one["cluster_id"] for one in program.ask("GET", "/clusters").json["clusters"]}
    assert shown == {"xa-2-c1", "xa-2-c2"}


def test_stopping_needs_its_own_right(site):
    made = site.program("commune-officer").ask(
        "POST", "/broadcasts", json=an_announcement(site.digest)
    )
    path = f"/broadcasts/{made.json['broadcast_id']}/stop"
    assert site.program("viewer").ask("POST", path).status_code == 403
    assert site.program("elsewhere").ask("POST", path).status_code == 403
    stopped = site.program("broadcaster").ask("POST", path)
    assert stopped.status_code == 200
    assert stopped.json["broadcast"]["stopped_at"]


def test_a_commune_officer_cannot_speak_beyond_the_commune(site):
    wanted = an_announcement(site.digest, units=[OTHER])
    answer = site.program("commune-officer").ask("POST", "/broadcasts", json=wanted)
    assert answer.status_code == 422
    assert [one["code"] for one in answer.json["findings"]] == ["out-of-scope"]


def test_an_emergency_from_above_needs_the_decision_of_the_committee(site):
    """Decree 49/2024/NĐ-CP, articles 7-9."""
    wanted = an_announcement(site.digest, unit_id=PROVINCE, bulletin_class="emergency")
    program = site.program("top")
    answer = program.ask("POST", "/broadcasts", json=wanted)
    assert answer.status_code == 422
    assert [one["code"] for one in answer.json["findings"]] == ["decision-number-needed"]
    numbered = program.ask("POST", "/broadcasts", json={**wanted, "decision_number": "15/QĐ-UBND"})
    assert numbered.status_code == 201


def test_the_same_request_twice_is_one_announcement(any_site):
    program = any_site.program("commune-officer")
    one = program.ask("POST", "/broadcasts", json=an_announcement(any_site.digest)).json
    two = program.ask("POST", "/broadcasts", json=an_announcement(any_site.digest)).json
    assert one["broadcast_id"] == two["broadcast_id"]
    assert sorted(one["clusters"]) == list(CLUSTERS)
    assert len(program.ask("GET", "/broadcasts").json["broadcasts"]) == 1


def test_a_clash_is_answered_with_every_slot_in_the_way(any_site):
    program = any_site.program("commune-officer")
    for title, start in (("Thời sự", "05:30:00"), ("Âm nhạc", "05:31:00")):
        made = a_slot(any_site.digest, title=title, local_start=start)
        assert program.ask("POST", "/slots", json=made).status_code == 201
    answer = program.ask(
        "POST", "/slots", json=a_slot(any_site.digest, title="Xen giữa", local_start="05:30:30")
    )
    assert answer.status_code == 409
    assert {one["title"] for one in answer.json["findings"]} == {"Thời sự", "Âm nhạc"}
    assert "“Thời sự”" in answer.json["detail_by_language"]["vi"]
    assert answer.json["clash_count"] == 2
    first = answer.json["clashes"][0]
    assert (first["title"], first["unit_id"]) == ("Thời sự", COMMUNE)
    assert first["days"][0] == first["start"][:10] or first["day_count"] > len(first["days"])
    assert set(first["clusters"]) <= set(CLUSTERS)
    kept = program.ask("GET", f"/slots?unit_id={COMMUNE}").json["slots"]
    assert [one["title"] for one in kept] == ["Thời sự", "Âm nhạc"]


def test_an_announcement_stands_in_the_timeline_as_long_as_it_sounds(site):
    program = site.program("commune-officer")
    made = program.ask("POST", "/broadcasts", json=an_announcement(site.digest)).json
    start = datetime.fromisoformat(made["broadcast"]["start"])
    end = start + timedelta(seconds=60)
    heard = [
        one
        for day in sorted({at.astimezone(LOCAL).date().isoformat() for at in (start, end)})
        for one in program.ask("GET", f"/timeline?cluster_id={CLUSTERS[0]}&day={day}").json["spans"]
        if one["claim_id"] == made["broadcast_id"]
    ]
    assert datetime.fromisoformat(heard[0]["start"]) == start
    assert datetime.fromisoformat(heard[-1]["end"]) == end


def test_a_withdrawn_slot_is_gone_from_the_list_and_from_the_timeline(any_site):
    program = any_site.program("commune-officer")
    slot = program.ask("POST", "/slots", json=a_slot(any_site.digest)).json["slot_id"]
    path = f"/timeline?cluster_id={CLUSTERS[0]}&day={TOMORROW}"
    spans = program.ask("GET", path).json["spans"]
    assert [one["slot_id"] for one in spans if one["claim_id"]] == [slot]
    assert program.ask("DELETE", f"/slots/{slot}").status_code == 200
    assert not [one for one in program.ask("GET", path).json["spans"] if one["claim_id"]]
    assert program.ask("GET", f"/slots?unit_id={COMMUNE}").json["slots"] == []


def test_what_others_announce_does_not_push_out_ones_own(site):
    """A list is as long as it may be of what its reader may see."""
    own = site.program("commune-officer").ask(
        "POST", "/broadcasts", json=an_announcement(site.digest)
    )
    program = site.program("top")
    for number in range(2):
        wanted = an_announcement(
            site.digest, request_id=f"request-1000000{number}", unit_id=PROVINCE, units=[OTHER]
        )
        assert program.ask("POST", "/broadcasts", json=wanted).status_code == 201
    with site.sessions.begin() as db:
        seen = lists.recent_broadcasts(db, units={COMMUNE}, limit=1)
        assert [row.broadcast_id for row in seen] == [own.json["broadcast_id"]]
    shown = site.program("viewer").ask("GET", "/broadcasts").json["broadcasts"]
    assert [one["broadcast_id"] for one in shown] == [own.json["broadcast_id"]]
    assert len(program.ask("GET", "/broadcasts").json["broadcasts"]) == 3


def test_what_saving_a_slot_would_change_is_told_to_who_may_save_it(site):
    program = site.program("commune-officer")
    told = program.ask("POST", "/slots/simulate", json=a_slot(site.digest))
    assert told.status_code == 200
    assert (told.json["changed"], told.json["findings"], told.json["loses_to"]) == (2, [], [])
    assert told.json["slack_s"] is None
    for length_s, slack_s in ((50.0, -10.0), (90.0, 30.0)):
        fit = program.ask("POST", "/slots/simulate", json=a_slot(site.digest, length_s=length_s))
        assert fit.json["slack_s"] == slack_s
    (group,) = told.json["groups"]
    assert [one["cluster_id"] for one in group["clusters"]] == list(CLUSTERS)
    assert group["days"][0]["day"] == TOMORROW
    assert [span["title"] for span in group["days"][0]["after"]] == ["Bản tin sáng"]
    assert program.ask("GET", f"/slots?unit_id={COMMUNE}").json["slots"] == []
    saved = program.ask("POST", "/slots", json=a_slot(site.digest)).json
    again = a_slot(site.digest, slot_id=saved["slot_id"])
    assert program.ask("POST", "/slots/simulate", json=again).json["changed"] == 0
    clash = program.ask("POST", "/slots/simulate", json=a_slot(site.digest, title="Xen")).json
    assert [finding["code"] for finding in clash["findings"]] == ["overlap"]
    viewer = site.program("viewer").ask("POST", "/slots/simulate", json=a_slot(site.digest))
    assert viewer.status_code == 403
