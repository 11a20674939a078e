"""The API's answers: problems for programs, ranged audio, uploads, and its own description."""

import io
from datetime import date

import pytest
from sqlalchemy import select

from protocol.signing import unverified
from server.services import commissioning, events
from server.store.models import NodeRow, PlanRow
from server.web.stream.views import MOST_STREAMS
from tests.factories.claims import NOON
from tests.factories.pages import AUDIO, COMMUNE
from tests.factories.sounds import encode, noise
from tests.factories.units import OPERATOR

REFUSED = (
    ("GET", "/nothing-here", {}, 404),
    ("POST", "/units", {}, 405),
    ("POST", "/broadcasts", {"data": "{half", "content_type": "application/json"}, 400),
    ("POST", "/slots", {"json": {}}, 422),
    ("GET", "/timeline?cluster_id=xa-1-c1&day=someday", {}, 422),
    ("GET", "/timeline?cluster_id=xa-1-c1&day=9999-12-31", {}, 422),
    ("GET", "/timeline?cluster_id=nowhere&day=2026-11-22", {}, 404),
    ("GET", "/as-run?since=0001-01-01T00:00:00%2B14:00&until=2026-11-22T00:00:00Z", {}, 422),
    ("GET", "/broadcasts/b-none", {}, 404),
    ("GET", "/assets/" + "0" * 64, {}, 404),
    ("GET", "/assets/not-a-digest", {}, 404),
    ("DELETE", "/slots/s-none", {}, 404),
)


def test_every_refusal_is_a_problem_document(site):
    program = site.program("top")
    for method, path, arguments, status in REFUSED:
        answer = program.ask(method, path, **arguments)
        assert answer.status_code == status, path
        assert answer.mimetype == "application/problem+json"
        assert answer.json["status"] == status
        assert answer.json["title"]
        assert answer.json["type"].startswith("urn:loalang:problem:")


def test_a_method_that_is_not_allowed_names_those_that_are(site):
    answer = site.program("top").ask("POST", "/units")
    assert {"GET", "HEAD"} <= set(answer.headers["Allow"].split(", "))


def test_an_unknown_field_is_an_error_and_not_a_surprise(site):
    wanted = {"unit_id": COMMUNE, "tittle": "x"}
    answer = site.program("top").ask("POST", "/slots", json=wanted)
    assert "tittle" in answer.json["errors"]["json"]


def test_problems_speak_the_language_that_was_asked_for(site):
    program = site.program("top")
    assert "địa chỉ" in program.ask("GET", "/nothing-here").json["title"]
    assert "address" in program.ask("GET", "/nothing-here?lang=en").json["title"]


def test_audio_is_served_whole_in_parts_and_once(any_site):
    program = any_site.program("viewer")
    path = f"/assets/{any_site.digest}"
    whole = program.ask("GET", path)
    assert (whole.status_code, whole.data) == (200, AUDIO)
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert "immutable" in whole.headers["Cache-Control"]
    assert whole.headers["ETag"] == f'"{any_site.digest}"'
    part = program.ask("GET", path, headers={"Range": "bytes=100-"})
    assert (part.status_code, part.data) == (206, AUDIO[100:])
    resumed = {"Range": "bytes=100-", "If-Range": f'"{any_site.digest}"'}
    assert program.ask("GET", path, headers=resumed).data == AUDIO[100:]
    assert program.ask("GET", path, headers={"Range": "bytes=999999-"}).status_code == 416
    known = program.ask("GET", path, headers={"If-None-Match": f'"{any_site.digest}"'})
    assert (known.status_code, known.data) == (304, b"")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"dear listeners, this is a letter" * 50, "not_audio")],
)
def test_an_upload_that_cannot_sound_is_refused_with_a_sentence_and_leaves_nothing(
    site, content, reason
):
    before = sorted(site.settings.asset_dir.rglob("*.opus"))
    answer = site.program("commune-officer").ask(
        "POST",
        "/assets",
        data={"file": (io.BytesIO(content), "x.mp3"), "unit_id": COMMUNE, "title": "Thư"},
    )
    assert answer.status_code == 422
    assert answer.json["reason_code"] == reason
    assert answer.json["detail_by_language"].keys() == {"vi", "en"}
    assert answer.json["detail"] == answer.json["detail_by_language"]["vi"]
    assert sorted(site.settings.asset_dir.rglob("*.opus")) == before
    assert not list((site.settings.state_dir / "uploads").iterdir())


def test_an_upload_without_a_file_is_refused(site):
    answer = site.program("commune-officer").ask(
        "POST", "/assets", data={"unit_id": COMMUNE, "title": "x"}
    )
    assert answer.status_code == 422
    assert "file" in answer.json["errors"]["form_and_files"]


def test_health_answers_anybody(any_site):
    answer = any_site.app.test_client().get("/api/v1/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "database": "ok"}


def test_open_pages_are_told_what_they_missed_by_number(any_site):
    for kind, ref in (("cluster", "xa-1-c1"), ("broadcast", "b-1")):
        with any_site.sessions.begin() as db:
            events.emit(db, kind=kind, ref=ref, now=NOON)
    with any_site.sessions.begin() as db:
        first, second = [row.event_id for row in events.since(db, 0)]
    browser = any_site.browser("viewer")
    answer = browser.get("/events/stream", headers={"Last-Event-ID": str(first)}, buffered=False)
    assert answer.mimetype == "text/event-stream"
    pieces = [next(answer.response), next(answer.response)]
    answer.close()
    assert pieces[1].decode() == f'id: {second}\nevent: broadcast\ndata: {{"ref": "b-1"}}\n\n'


def test_when_all_streams_are_taken_a_page_is_told_when_to_ask_again(site):
    browser = site.browser("viewer")
    held = [browser.get("/events/stream", buffered=False) for _ in range(MOST_STREAMS)]
    refused = browser.get("/events/stream")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "5"
    assert browser.get("/events/newest").json["event"] >= 0
    for stream in held:
        stream.close()
    again = browser.get("/events/stream", buffered=False)
    assert again.status_code == 200
    again.close()


def test_plans_reach_as_far_ahead_as_the_installation_says(open_one):
    site = open_one(plan_days=3)
    program = site.program("commune-officer")
    wanted = {
        "unit_id": COMMUNE,
        "title": "Bản tin sáng",
        "assets": [site.digest],
        "recurrence": "daily",
        "local_start": "05:30",
        "first_day": date(2099, 1, 1).isoformat(),
        "units": [COMMUNE],
    }
    hours = {"unit_id": COMMUNE, "local_start": "05:00", "local_end": "21:00"}
    reach = []

    def asked(method, path, body=None):
        answer = program.ask(method, path, json=body)
        assert answer.status_code < 300, answer.text
        with site.sessions.begin() as db:
            plan = unverified(db.get_one(PlanRow, COMMUNE).token).msg
        reach.append((plan.end - plan.start).days)
        return answer.json

    slot = asked("POST", "/slots", wanted)
    asked("DELETE", f"/slots/{slot['slot_id']}")
    frame = asked("POST", "/frames", hours)
    at = f"/frames/{frame['frame_id']}"
    asked("PUT", at, {**hours, "local_end": "22:00", "version": frame["version"]})
    asked("DELETE", at)
    asked("POST", "/hushes", {"unit_id": COMMUNE, "reason": "Lễ tang"})
    site.app.extensions["loa"].engine.dispose()
    site.sessions.kw["bind"].dispose()
    assert reach == [3] * 6


def test_a_warning_is_told_to_its_nodes_in_the_transaction_that_keeps_it(site, tmp_path):
    facts = {"now": NOON, "actor": OPERATOR, "keyring": site.keyring}
    with site.sessions.begin() as db:
        for cluster in ("xa-1-c1", "xa-2-c1"):
            commissioning.commission(db, node_id=f"n-{cluster}", cluster_id=cluster, **facts)
    sound = encode(tmp_path / "warning.opus", noise(1.0))
    data = {"file": (sound.open("rb"), "w.opus"), "unit_id": COMMUNE, "title": "Lũ"}
    program = site.program("commune-officer")
    kept = program.ask("POST", "/assets", data={**data, "purpose": "warning"})
    assert kept.status_code == 201, kept.json
    with site.sessions.begin() as db:
        told = dict(db.execute(select(NodeRow.node_id, NodeRow.config_token)).all())
    pinned = {
        node: {asset.digest for asset in unverified(token).msg.pinned}
        for node, token in told.items()
    }
    assert pinned == {"n-xa-1-c1": {kept.json["digest"]}, "n-xa-2-c1": set()}


def test_a_slot_by_the_moon_is_taken_and_told_as_it_was_asked_for(site):
    program = site.program("top")
    wanted = {
        "unit_id": COMMUNE,
        "title": "Ngày rằm",
        "assets": [site.digest],
        "recurrence": "lunar",
        "pattern": "DAY=15",
        "holidays": "except",
        "local_start": "19:15",
        "first_day": "2094-01-01",
        "units": [COMMUNE],
    }
    made = program.ask("POST", "/slots", json=wanted)
    assert made.status_code == 201, made.text
    (kept,) = program.ask("GET", f"/slots?unit_id={COMMUNE}").json["slots"]
    assert (kept["pattern"], kept["holidays"]) == ("DAY=15", "except")
    secondly = {**wanted, "recurrence": "rrule", "pattern": "FREQ=SECONDLY"}
    answer = program.ask("POST", "/slots", json=secondly)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert "FREQ=SECONDLY" in answer.text
