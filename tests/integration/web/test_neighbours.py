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
