"""Drills and what follows an announcement, as pages show and prepare them."""

import re

import pytest
from sqlalchemy import select

from server.services.drill_labels import TEXTS
from server.store.models import AssetRow, BroadcastRow
from tests.factories.pages import COMMUNE, an_asset_row, form_token


def announced(site, program, **facts: object):
    wanted = {
        "request_id": f"yeu-cau-{len(site_broadcasts(site))}",
        "unit_id": COMMUNE,
        "title": "Lũ lên nhanh",
        "bulletin_class": "emergency",
        "severity": 2,
        "asset_digest": site.digest,
        "units": [COMMUNE],
        **facts,
    }
    return program.ask("POST", "/broadcasts", json=wanted)


def site_broadcasts(site):
    with site.sessions.begin() as db:
        return db.scalars(select(BroadcastRow).order_by(BroadcastRow.created_at)).all()


def labelled(site):
    with site.sessions.begin() as db:
        for number, purpose in enumerate(TEXTS):
            db.add(an_asset_row(f"{number:064x}", "tinh", purpose))


def field(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page).group(1)


def test_after_a_stop_the_all_clear_and_the_correction_are_one_press_away(site):
    officer, program = site.browser("commune-officer"), site.program("commune-officer")
    first = announced(site, program).json["broadcast_id"]
    assert 'id="all-clear"' not in officer.get(f"/broadcasts/{first}").text
    program.ask("POST", f"/broadcasts/{first}/stop")
    page = officer.get(f"/broadcasts/{first}").text
    assert 'id="all-clear"' in page
    assert 'id="correction"' in page
    # The thumb finds them at once, also below a list of hundreds of clusters.
    assert '<p class="stop-bar">' in page
    assert page.index('id="record"') < page.index('class="deliveries"')
    urgent = officer.get(f"/urgent?follows={first}&as=all-clear").text
    assert field(urgent, "follows") == first
    assert field(urgent, "relation") == "all-clear"
    assert "Báo yên: Lũ lên nhanh" in urgent
    sent = officer.post(
        "/urgent",
        data={
            "csrf_token": form_token(urgent),
            "request_id": "noi-tiep-1",
            "unit_id": COMMUNE,
            "unit": COMMUNE,
            "title": "Báo yên: Lũ lên nhanh",
            "bulletin_class": "emergency",
            "asset_digest": site.digest,
            "repeat": "1",
            "mode": "real",
            "follows": first,
            "relation": "all-clear",
        },
    )
    assert sent.status_code == 303, sent.text
    assert "Báo yên sau" in officer.get(sent.headers["Location"]).text
    assert "Tiếp theo là báo yên" in officer.get(f"/broadcasts/{first}").text


def test_a_drill_is_marked_on_every_page_and_in_every_list(site):
    labelled(site)
    officer, program = site.browser("commune-officer"), site.program("commune-officer")
    made = announced(site, program, mode="drill").json["broadcast"]
    assert made["title"] == "DIỄN TẬP: Lũ lên nhanh"
    for path in ("/urgent?mode=drill", f"/broadcasts/{made['broadcast_id']}"):
        page = officer.get(path).text
        assert "drill-page" in page
        assert "drill-banner" in page
    assert "drill-mark" in officer.get("/broadcasts").text
    assert "drill-page" not in officer.get("/urgent").text
    urgent = officer.get("/urgent?mode=drill").text
    assert field(urgent, "mode") == "drill"


def test_the_length_of_a_drill_counts_what_it_says_of_itself_in_every_turn(site):
    labelled(site)
    officer = site.browser("commune-officer")
    form = {
        "csrf_token": form_token(officer.get("/urgent").text),
        "unit_id": COMMUNE,
        "unit": COMMUNE,
        "title": "Lũ lên nhanh",
        "asset_digest": site.digest,
        "repeat": "2",
    }
    real = officer.post("/urgent/confirm", data=form).text
    drill = officer.post("/urgent/confirm", data={**form, "mode": "drill"}).text
    # The same minute twice and a second between, and four labels of a minute each.
    assert "2 phút 01 giây" in real
    assert "6 phút 01 giây" in drill


def test_who_may_not_announce_makes_nobody_speak(site):
    assert announced(site, site.program("viewer"), mode="drill").status_code == 403
    with site.sessions.begin() as db:
        assert db.scalars(select(BroadcastRow)).all() == []


@pytest.mark.slow
def test_the_first_drill_speaks_its_own_label_and_the_second_uses_it(site):
    program = site.program("commune-officer")
    for _ in range(2):
        made = announced(site, program, mode="drill")
        assert made.status_code == 201, made.text
    with site.sessions.begin() as db:
        rows = db.scalars(select(AssetRow).where(AssetRow.purpose.in_(TEXTS))).all()
        assert len(rows) == 2
        assert {row.unit_id for row in rows} == {"tinh"}
        assert all(row.duration_s > 1 for row in rows)
    store = site.app.extensions["loa"].audio
    assert all(store.verify(row.digest) for row in rows)
