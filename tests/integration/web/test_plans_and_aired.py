"""Plans at clusters, planned against aired, and listening beforehand, as pages and at the API."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import av
import numpy as np
import pytest
from sqlalchemy import update

from audio_library.store import Store
from edge.chain import linked, new_chain
from protocol.messages import (
    AsRun,
    Outcome,
    Presence,
    PresenceState,
    Segment,
    SoundProof,
    SoundVerdict,
)
from server.domain.recurrence import LOCAL
from server.services import as_run, commissioning, reports
from server.store.models import AsRunRow, AssetRow
from tests.factories.pages import CLUSTERS, COMMUNE, OTHER, form_token
from tests.factories.sounds import RATE_HZ, encode, lag_s, noise, rms
from tests.factories.units import OPERATOR


def wall(instant):
    return instant.astimezone(LOCAL)


def a_slot(site, begins, **changed: object):
    day = wall(begins).date().isoformat()
    boring = {
        "unit_id": COMMUNE,
        "title": "Bản tin sắp phát",
        "assets": [site.digest],
        "recurrence": "once",
        "local_start": f"{wall(begins):%H:%M:%S}",
        "first_day": day,
        "units": [COMMUNE],
    }
    answer = site.program("commune-officer").ask("POST", "/slots", json={**boring, **changed})
    assert answer.status_code == 201, answer.text
    return answer.json


@pytest.fixture
def soon():
    """Not quite a minute from now, on whole seconds."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=55)


def connect(site, cluster, version):
    now = datetime.now(UTC)
    with site.sessions.begin() as db:
        commissioning.commission(
            db,
            node_id=f"n-{cluster}",
            cluster_id=cluster,
            now=now,
            actor=OPERATOR,
            keyring=site.keyring,
        )
        here = Presence(
            node=f"n-{cluster}", state=PresenceState.HERE, plan_versions={COMMUNE: version}
        )
        reports.take_in(db, f"n-{cluster}", here, now=now)


def test_whoever_saves_at_the_last_moment_is_told_whom_it_reaches(any_site, soon):
    saved = a_slot(any_site, soon)
    assert datetime.fromisoformat(saved["late_from"]) == soon
    connect(any_site, CLUSTERS[0], saved["plan_version"])
    program = any_site.program("commune-officer")
    # Asked as if it began later, so that a slow machine does not make it too late.
    begins = soon + timedelta(hours=1)
    about = {"version": saved["plan_version"], "begins": begins.isoformat()}
    path = f"/slots/{saved['slot_id']}/taken-over"
    told = program.ask("GET", path, query_string=about).json
    assert told["taken"] == 1
    assert {one["cluster_id"]: one["state"] for one in told["clusters"]} == {
        CLUSTERS[0]: "taken",
        CLUSTERS[1]: "unreachable",
    }
    page = any_site.browser("commune-officer").get(path, query_string=about).text
    assert "1/2 cụm đã nhận" in page
    assert f"chưa kết nối, sẽ không kịp {wall(begins):%H:%M:%S}" in page
    plans = program.ask("GET", "/plans", query_string={"unit_id": COMMUNE}).json
    assert plans["up_to_date"] == 1
    shown = any_site.browser("viewer").get(f"/units/{COMMUNE}/plans").text
    assert "1/2 cụm đã có kế hoạch mới nhất" in shown
    far = a_slot(any_site, soon + timedelta(days=2))
    assert far["late_from"] is None


def test_a_late_withdrawal_on_the_page_leads_to_who_may_sound_it_all_the_same(site, soon):
    saved = a_slot(site, soon)
    browser = site.browser("commune-officer")
    page = browser.get(f"/units/{COMMUNE}/slots").text
    assert "giây là phát: cụm nào chưa kết nối lúc này sẽ không kịp" in page
    done = browser.post(
        f"/slots/{saved['slot_id']}/withdraw", data={"csrf_token": form_token(page)}
    )
    assert done.status_code == 303
    assert "/taken-over?" in done.location
    assert "vẫn sẽ phát lúc" in browser.get(done.location).text


def test_the_form_warns_before_saving(site, soon):
    fields = {
        "title": "Bản tin",
        "asset_digest": site.digest,
        "recurrence": "once",
        "local_start": f"{wall(soon):%H:%M:%S}",
        "first_day": f"{wall(soon):%d/%m/%Y}",
        "where": "all",
    }
    coming = site.browser("commune-officer").get(
        f"/units/{COMMUNE}/slots/coming", query_string=fields
    )
    assert "giây là phát" in coming.text
    assert "Hiện chưa kết nối: Thôn Đoài, Thôn Đoài." in coming.text


def test_a_day_is_shown_with_what_went_wrong_and_leads_to_one_cluster(any_site, soon):
    saved = a_slot(any_site, soon)
    later = soon + timedelta(minutes=5)
    with any_site.sessions.begin() as db:
        as_run.conclude_missed(db, now=later)
    day = wall(soon).date().isoformat()
    program = any_site.program("viewer")
    asked = {"unit_id": COMMUNE, "day": day}
    (entry,) = program.ask("GET", "/aired", query_string=asked).json["entries"]
    assert (entry["slot_id"], entry["planned"], entry["outcomes"]) == (
        saved["slot_id"],
        2,
        {"missed": 2},
    )
    browser = any_site.browser("viewer")
    page = browser.get(f"/units/{COMMUNE}/aired?day={day}&show=problems").text
    assert "Không phát được 2" in page
    assert "Cụm loa không báo lại: 2 cụm" in page
    claim = browser.get(f"/units/{COMMUNE}/aired/{entry['claim_id']}?day={day}").text
    assert f"/clusters/{CLUSTERS[0]}/aired?day={day}" in claim
    assert "Bản tin sắp phát" in browser.get(f"/clusters/{CLUSTERS[0]}/aired?day={day}").text
    one = {"cluster_id": CLUSTERS[0], "day": day}
    (at,) = program.ask("GET", "/aired/cluster", query_string=one).json["entries"]
    assert (at["outcome"], at["heard"]) == ("missed", [])


def test_a_day_before_a_unit_or_a_cluster_was_there_says_just_that(site):
    browser = site.browser("viewer")
    for path, words in (
        (f"/units/{COMMUNE}/aired", "chưa có hoặc không còn đơn vị này"),
        (f"/clusters/{CLUSTERS[0]}/aired", "chưa có hoặc không còn cụm loa này"),
    ):
        shown = browser.get(f"{path}?day=2001-01-01")
        assert (shown.status_code, words in shown.text) == (200, True)
        assert words not in browser.get(path).text
        assert site.browser("elsewhere").get(f"{path}?day=2001-01-01").status_code == 403
    assert browser.get("/units/xa-khong-co/aired?day=2001-01-01").status_code == 404
    assert browser.get("/clusters/khong-co/aired?day=2001-01-01").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"/units/{COMMUNE}/plans",
        f"/units/{COMMUNE}/aired",
        f"/clusters/{CLUSTERS[0]}/aired",
        f"/units/{COMMUNE}/preview",
        f"/clusters/{CLUSTERS[0]}/preview.ogg?since=2026-11-22T00:00:00Z&until=2026-11-22T01:00:00Z",
    ],
)
def test_who_may_not_see_the_unit_sees_none_of_it(site, path):
    stranger = site.browser("elsewhere")
    assert stranger.get(path).status_code == 403
    assert stranger.get(path.replace(COMMUNE, OTHER)).status_code in {200, 404}


@pytest.mark.slow
def test_what_will_sound_can_be_heard_beforehand(site, soon, tmp_path):
    sound = noise(4)
    digest = Store(site.settings.asset_dir).put(encode(tmp_path / "one.opus", sound))
    with site.sessions.begin() as db:
        db.add(
            AssetRow(
                digest=digest,
                unit_id=COMMUNE,
                title="Một",
                purpose="programme",
                duration_s=4.0,
                size_bytes=1,
                created_at=soon,
                created_by="ai-do",
            )
        )
    begins = soon.replace(second=0) + timedelta(minutes=5)
    a_slot(site, begins, assets=[digest])
    browser = site.browser("viewer")
    form = {
        "cluster": CLUSTERS[0],
        "day": f"{wall(begins):%d/%m/%Y}",
        "start": f"{wall(begins - timedelta(minutes=1)):%H:%M}",
        "end": f"{wall(begins + timedelta(minutes=1)):%H:%M}",
        "skip": "1",
    }
    page = browser.get(f"/units/{COMMUNE}/preview", query_string=form).text
    assert "Bản tin sắp phát" in page
    since, until = begins - timedelta(seconds=2), begins + timedelta(seconds=3)
    asked = {"since": since.isoformat(), "until": until.isoformat()}
    answer = browser.get(f"/clusters/{CLUSTERS[0]}/preview.ogg", query_string=asked)
    assert answer.mimetype == "audio/ogg"
    with av.open(BytesIO(answer.data)) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert rms(heard[: round(1.9 * RATE_HZ)]) < 0.001
    assert lag_s(sound, heard[2 * RATE_HZ : 4 * RATE_HZ]) == pytest.approx(0.0, abs=0.002)


def test_more_than_two_hours_or_no_time_at_all_is_refused_with_a_sentence(site):
    browser = site.browser("viewer")
    form = {"cluster": CLUSTERS[0], "day": "22/11/2026", "start": "05:00", "end": "08:00"}
    refused = browser.get(f"/units/{COMMUNE}/preview", query_string=form)
    assert refused.status_code == 422
    assert "tối đa hai giờ" in refused.text
    form["end"] = "khuya"
    assert browser.get(f"/units/{COMMUNE}/preview", query_string=form).status_code == 422
    path = f"/clusters/{CLUSTERS[0]}/preview.ogg"
    assert browser.get(path).status_code == 404
    far = {"since": "2026-11-22T00:00:00Z", "until": "2026-11-22T05:00:00Z"}
    assert browser.get(path, query_string=far).status_code == 422


@pytest.mark.slow
def test_no_more_listen_at_once_than_there_are_places_for(site):
    browser = site.browser("viewer")
    asked = {"since": "2026-11-22T00:00:00Z", "until": "2026-11-22T02:00:00Z"}
    path = f"/clusters/{CLUSTERS[0]}/preview.ogg"
    open_ones = [browser.get(path, query_string=asked) for _ in range(4)]
    assert {answer.status_code for answer in open_ones} == {200}
    assert browser.get(path, query_string=asked).status_code == 503
    open_ones.pop().close()
    again = browser.get(path, query_string=asked)
    assert again.status_code == 200
    for answer in (*open_ones, again):
        answer.close()


def tell_of(site, now, *numbers: int):
    """Let the node of the first cluster tell the end of some claims, chained."""
    head, records = new_chain(), []
    for number in range(1, max(numbers) + 1):
        record = AsRun(
            report_id=f"bao-{number}",
            claim_id=f"tin-{number}",
            cluster=CLUSTERS[0],
            at=now,
            outcome=Outcome.PLAYED,
            segments=(Segment(start=now, end=now + timedelta(seconds=1), position_s=0.0),),
            proof=SoundProof(
                verdict=SoundVerdict.SILENT_HORN, sent_dbfs=-18, level_dbfs=-80, correlation=0
            ),
        )
        head, record = linked(head, record)
        records.append(record)
    connect(site, CLUSTERS[0], 1)
    with site.sessions.begin() as db:
        for number in numbers:
            reports.take_in(db, f"n-{CLUSTERS[0]}", records[number - 1], now=now)


def test_the_records_of_a_cluster_say_whether_they_are_whole_incomplete_or_altered(site):
    officer, program = site.browser("commune-officer"), site.program("commune-officer")
    now = datetime.now(UTC)
    day = f"day={wall(now).date()}"
    pages = [f"/as-run?cluster={CLUSTERS[0]}&{day}", f"/clusters/{CLUSTERS[0]}/aired?{day}"]
    address = f"/clusters/{CLUSTERS[0]}/record-chain"
    assert all("Nhật ký chưa kiểm chứng được" in officer.get(page).text for page in pages)
    assert program.ask("GET", address).json["state"] == "none"
    tell_of(site, now, 1, 3)
    for page in pages:
        text = officer.get(page).text
        assert "Nhật ký bị thiếu" in text
        assert "đã kiểm chứng 2 bản ghi · thiếu 1 bản ghi, có thể còn đang gửi về" in text
    told = program.ask("GET", address).json
    assert (told["state"], told["records"], told["missing"], told["broken"]) == ("gap", 2, 1, 0)
    assert [chain["newest"] for chain in told["chains"]] == [3]
    with site.sessions.begin() as db:
        db.execute(update(AsRunRow).filter_by(claim_id="tin-3").values(outcome="missed"))
    assert officer.get(pages[0]).text.count("Đã bị sửa: không đúng như thiết bị báo về") == 1
    ever = {"since": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    records = program.ask("GET", "/as-run", query_string=ever).json["records"]
    assert {one["proof"]["verdict"] for one in records} == {"silent-horn"}
    assert officer.get(pages[0]).text.count("Loa không kêu") == 2
    assert {one["claim_id"]: one["check"] for one in records} == {
        "tin-1": "untouched",
        "tin-3": "altered",
    }
    stranger = f"/clusters/{OTHER}-c1/record-chain"
    assert program.ask("GET", stranger).status_code == 403
