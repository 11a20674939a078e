"""The last moment before a programme, the day after it, and listening beforehand."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from protocol.messages import AsRun, Outcome, Presence, PresenceState, Segment
from server.cli.demo.province import CLUSTERS, LUNG_CU, PROVINCE
from server.domain.authority import Actor
from server.domain.recurrence import LOCAL
from server.domain.slots import claim_id
from server.services import as_run, plan_states, scheduling
from server.services.keyring import Keyring
from server.store.models import AssetRow
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.slow

MINE = [one for one in CLUSTERS if one.unit_id == LUNG_CU]


def a_slot(served, begins):
    local = begins.astimezone(LOCAL)
    with served.sessions.begin() as db:
        usable = select(AssetRow.digest).where(
            AssetRow.purpose != "chime", AssetRow.unit_id.in_((PROVINCE, LUNG_CU))
        )
        digest = db.scalars(usable).first()
        new = scheduling.NewSlot(
            unit_id=LUNG_CU,
            title="Nhắc họp thôn",
            bulletin_class="priority",
            assets=(digest,),
            recurrence="once",
            local_start=local.time(),
            first_day=local.date(),
            units=(LUNG_CU,),
        )
        row = scheduling.add_slot(
            db,
            new,
            now=datetime.now(UTC),
            actor=Actor.operator("loa"),
            keyring=Keyring.open(served.settings.secrets_dir),
        )
        return row, plan_states.newest_version(db, LUNG_CU)


def test_an_edit_is_followed_to_the_clusters_and_the_day_to_what_they_sounded(open_page, served):
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=4)
    slot, version = a_slot(served, begins)
    phone = open_page(PHONE, login="xa-lung-cu")
    phone.goto(
        f"/slots/{slot.slot_id}/taken-over?version={version}&begins={begins:%Y-%m-%dT%H:%M:%SZ}"
    )
    expect(phone.get_by_text(f"0/{len(MINE)} cụm đã nhận")).to_be_visible()
    for cluster in MINE:
        held = {LUNG_CU: version}
        served.hear(
            cluster.cluster_id,
            Presence(node=cluster.node_id, state=PresenceState.HERE, plan_versions=held),
        )
    expect(phone.get_by_text(f"{len(MINE)}/{len(MINE)} cụm đã nhận")).to_be_visible()
    for page in ("plans", "aired", "preview"):
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
        phone.goto(f"/units/{LUNG_CU}/{page}")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")

    desk = open_page(login="xa-lung-cu")
    at = begins.astimezone(LOCAL)
    asked = f"day={at:%d/%m/%Y}&start={at:%H:%M}&end={at + timedelta(minutes=30):%H:%M}&skip=1"
    desk.goto(f"/units/{LUNG_CU}/preview?{asked}")
    desk.locator("audio").evaluate("(audio) => audio.play()")
    expect(desk.locator("[data-now-text]")).to_have_text("Nhắc họp thôn", timeout=20_000)
    desk.locator("audio").evaluate("(audio) => { audio.pause(); audio.src = ''; }")

    claim = claim_id(slot.slot_id, begins)
    with served.sessions.begin() as db:
        as_run.conclude_missed(db, now=begins + timedelta(seconds=1))
    heard = Segment(start=begins, end=begins + timedelta(seconds=9), position_s=0.0)
    for cluster, outcome in zip(MINE, (Outcome.PLAYED, Outcome.CUT), strict=False):
        record = AsRun(
            report_id=f"r-{cluster.cluster_id}",
            claim_id=claim,
            cluster=cluster.cluster_id,
            at=heard.end,
            outcome=outcome,
            reason="" if outcome is Outcome.PLAYED else "quiet-hours",
            segments=(heard,),
        )
        served.hear(cluster.cluster_id, record)
    desk.goto(f"/units/{LUNG_CU}/aired?day={at:%Y-%m-%d}&show=problems")
    entry = desk.locator(f"#aired-{claim}")
    expect(entry).to_contain_text("Rơi vào giờ yên tĩnh: 1 cụm")
    entry.get_by_role("link").click()
    desk.locator(f"#at-{MINE[1].cluster_id}").get_by_role("link").click()
    row = desk.get_by_role("row").filter(has_text="Nhắc họp thôn")
    expect(row).to_contain_text(f"{at:%H:%M:%S}–{at + timedelta(seconds=9):%H:%M:%S}")
