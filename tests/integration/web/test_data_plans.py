"""What a SIM may use and has used: the page, the first page, the sheet's twin at the API."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from protocol.messages import Telemetry
from server.services import commissioning, reports
from tests.factories.pages import CLUSTERS, form_token
from tests.factories.questions import counted
from tests.factories.units import OPERATOR

HERE, OTHER = CLUSTERS
PAGE = f"/clusters/{HERE}/data-plan"


@pytest.fixture
def used(any_site):
    """A cluster that has used 850 MB within this minute."""
    now = datetime.now(UTC)
    with any_site.sessions.begin() as db:
        node = {"node_id": "n-1", "cluster_id": HERE, "keyring": any_site.keyring}
        commissioning.commission(db, now=now, actor=OPERATOR, **node)
        for seconds, total_mb in ((0, 1.0), (1, 851.0)):
            at = now + timedelta(seconds=seconds)
            word = Telemetry(at=at, data_total_mb=total_mb, data_month_mb=99.0)
            reports.take_in(db, "n-1", word, now=now)
    return any_site


def typed(browser, monthly: str, first_day: str = "1"):
    fields = {"monthly": monthly, "first_day": first_day}
    token = form_token(browser.get(PAGE).text)
    return browser.post(PAGE, data={**fields, "csrf_token": token})


def test_a_technician_enters_a_plan_and_everybody_sees_where_it_runs_out(used):
    technician, viewer = used.browser("technician"), used.browser("viewer")
    assert "Chưa ai khai báo" in technician.get(PAGE).text
    assert "99 MB tháng này" in viewer.get("/clusters/list").text
    assert typed(technician, "2 GB", "31").status_code == 303
    assert "SIM: đã dùng 850 MB trong gói 2 GB (42%)" in technician.get(PAGE).text
    assert "sắp hết dữ liệu" not in viewer.get("/clusters/list").text
    assert typed(technician, "1 GB").status_code == 303
    cards = viewer.get("/clusters/list").text
    assert "SIM sắp hết dữ liệu tháng này (85%)" in cards
    assert 'data-states="data"' in cards
    assert "99 MB tháng này" not in cards
    assert typed(technician, "0,8 GB").status_code == 303
    assert "SIM đã dùng hết dữ liệu tháng này (106%)" in technician.get(PAGE).text
    assert typed(technician, "").status_code == 303
    assert "Chưa ai khai báo" in technician.get(PAGE).text


def test_the_first_page_reads_once_what_sims_have_used(used):
    assert typed(used.browser("technician"), "1 GB").status_code == 303
    viewer = used.browser("viewer")
    with counted(SimpleNamespace(sessions=used.app.extensions["loa"].reads)) as asked:
        assert "(85%)" in viewer.get("/clusters/list").text
    assert sum("data_plan_mb IS NOT NULL" in one for one in asked) == 1


@pytest.mark.parametrize(
    ("monthly", "day"), [("4", "1"), ("nhiều", "1"), ("0 MB", "1"), ("4 GB", "32"), ("4 GB", "²")]
)
def test_what_is_no_plan_is_refused_and_kept_in_the_field(site, monthly, day):
    refused = typed(site.browser("technician"), monthly, day)
    assert refused.status_code == 422
    assert f'value="{monthly}"' in refused.text
    assert "như 4 GB hoặc 500 MB" in refused.text


def test_programs_read_and_set_it_too_and_only_who_looks_after_the_cluster(used):
    technician = used.program("technician")
    plan = f"/clusters/{HERE}/data-plan"
    assert technician.ask("GET", plan).json == {"cluster_id": HERE, "data": None}
    answer = technician.ask("PUT", plan, json={"monthly_mb": 1000})
    assert answer.status_code == 200, answer.text
    told = answer.json["data"]
    assert (told["used_mb"], told["percent"], told["standing"]) == (850.0, 85, "near")
    listed = {one["cluster_id"]: one for one in technician.ask("GET", "/clusters").json["clusters"]}
    assert listed[HERE]["data"] == told
    assert listed[OTHER]["data"] is None
    for wrong in ({"monthly_mb": 0}, {"monthly_mb": 4000, "first_day": 32}, {}):
        assert technician.ask("PUT", plan, json=wrong).status_code == 422
    assert used.program("viewer").ask("PUT", plan, json={"monthly_mb": 1}).status_code == 403
    assert used.browser("viewer").get(PAGE).status_code == 403
