"""Whose horns overlap, on the page and at the API, and how far they are said to reach."""

import pytest

from server.store.models import AuditRow, ClusterRow
from tests.factories.pages import CLUSTERS, COMMUNE, form_token

ONE, OTHER = CLUSTERS
PAGE = f"/units/{COMMUNE}/neighbours"


@pytest.fixture
def beside(any_site):
    """Two horns 500 m apart."""
    with any_site.sessions.begin() as db:
        for cluster_id, latitude in ((ONE, 21.0), (OTHER, 21.0045)):
            row = db.get_one(ClusterRow, cluster_id)
            row.latitude, row.longitude = latitude, 105.0
    return any_site


def horns(program) -> dict[str, dict[str, object]]:
    answer = program.ask("GET", f"/neighbours?unit_id={COMMUNE}")
    assert answer.status_code == 200, answer.text
    return {horn["cluster_id"]: horn for horn in answer.json["horns"]}


def reached(program, metres, cluster_id=ONE):
    return program.ask("PUT", f"/clusters/{cluster_id}/reach", json={"reach_m": metres})


def test_two_that_overlap_take_turns_and_do_not_once_they_reach_less_far(beside):
    technician = beside.program("technician")
    found = horns(technician)
    assert sorted(horn["turn"] for horn in found.values()) == [0, 1]
    assert found[ONE]["near"][0]["cluster_id"] == OTHER
    assert found[ONE]["near"][0]["distance_m"] == pytest.approx(500, abs=2)
    for cluster_id in CLUSTERS:
        assert reached(technician, 200, cluster_id).json["reach_m"] == 200
    found = horns(technician)
    assert [horn["turn"] for horn in found.values()] == [0, 0]
    assert found[ONE]["near"] == []
    with beside.sessions.begin() as db:
        deeds = db.query(AuditRow).filter_by(action="set-reach").all()
        assert [(deed.actor, deed.detail) for deed in deeds] == [
            ("technician", {"reach_m": 200})
        ] * 2


def test_the_page_shows_turns_and_neighbours_and_takes_a_reach(beside):
    technician = beside.browser("technician")
    page = technician.get(PAGE)
    assert "Lượt 2" in page.text
    assert "500 m, lượt" in page.text

    def typed(reach):
        token = form_token(technician.get(PAGE).text)
        fields = {"cluster_id": ONE, "reach_m": reach, "csrf_token": token}
        return technician.post(PAGE, data=fields)

    assert typed("190").status_code == 303
    assert "Không chồng với cụm nào" in technician.get(PAGE).text
    for wrong in ("xa", "5", "9999", "-3", "1e3"):
        assert typed(wrong).status_code == 422
    assert typed("").status_code == 303
    assert "Lượt 2" in technician.get(PAGE).text


def test_who_only_looks_sees_it_and_changes_nothing_and_others_see_nothing(beside):
    viewer = beside.browser("viewer").get(PAGE)
    assert viewer.status_code == 200
    assert 'name="reach_m"' not in viewer.text
    assert reached(beside.program("viewer"), 100).status_code == 403
    assert beside.browser("elsewhere").get(PAGE).status_code == 403
    assert reached(beside.program("technician"), 10).status_code == 422


def test_what_has_no_coordinates_is_left_out_and_said_to_be(any_site):
    with any_site.sessions.begin() as db:
        for cluster_id in CLUSTERS:
            row = db.get_one(ClusterRow, cluster_id)
            row.latitude = row.longitude = None
    page = any_site.browser("technician").get(PAGE).text
    assert "2 cụm chưa có tọa độ" in page
    assert "chưa có cụm loa nào có tọa độ" in page


def test_an_officer_has_them_take_turns_and_the_form_of_a_slot_says_what_comes_of_it(beside):
    officer = beside.browser("commune-officer")
    page = officer.get(PAGE)
    assert "Đang tắt" in page.text
    assert 'data-north="21.0"' in page.text

    def said(until):
        asked = {
            "recurrence": "daily",
            "local_start": "05:30",
            "local_end": until,
            "first_day": "01/12/2026",
            "asset": beside.digest,
        }
        return officer.get(f"/units/{COMMUNE}/slots/coming", query_string=asked).text

    assert "luân phiên" not in said("05:33")
    fields = {"on": "yes", "csrf_token": form_token(page.text)}
    assert officer.post(f"/units/{COMMUNE}/turns", data=fields).status_code == 303
    assert "Đang bật" in officer.get(PAGE).text
    assert "sẽ phát luân phiên: 2 lượt" in said("05:33")
    assert "không thể phát luân phiên: 2 lượt cần 2 phút 02 giây" in said("05:32")


def test_a_program_has_them_take_turns_and_hears_which_slots_are_too_short(beside):
    officer = beside.program("commune-officer")

    def take(program, on):
        return program.ask("PUT", f"/units/{COMMUNE}/turns", json={"on": on})

    assert take(beside.program("technician"), on=True).status_code == 403
    assert take(officer, on="perhaps").status_code == 422
    assert officer.ask("PUT", "/units/nowhere/turns", json={"on": True}).status_code == 404
    assert take(officer, on=True).json == {"unit_id": COMMUNE, "takes_turns": True}
    slot = {
        "unit_id": COMMUNE,
        "title": "Bản tin",
        "bulletin_class": "ordinary",
        "recurrence": "daily",
        "local_start": "05:30:00",
        "first_day": "2026-12-01",
        "assets": [beside.digest],
        "length_s": 121,
        "units": [COMMUNE],
    }
    trial = officer.ask("POST", "/slots/simulate", json=slot).json["turns"]
    assert trial == {"turn_count": 2, "each_s": 60, "needed_s": 122, "fits": False}
    assert officer.ask("POST", "/slots", json=slot).status_code == 201
    told = officer.ask("GET", f"/neighbours?unit_id={COMMUNE}").json
    assert told["takes_turns"] is True
    assert [(one["length_s"], one["needed_s"]) for one in told["too_short"]] == [(121.0, 122)]
    assert {horn["latitude"] for horn in told["horns"]} == {21.0, 21.0045}
    assert "Không đủ dài cho các lượt" in beside.browser("viewer").get(PAGE).text
    assert 'name="on"' not in beside.browser("viewer").get(PAGE).text
