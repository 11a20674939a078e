"""One cluster for whoever looks after it: its page, its orders at the API, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audio_library.errors import SpeechError
from audio_library.tts.piper import PiperProgram
from protocol.messages import Presence, PresenceState
from server.domain.upkeep import MOST_ORDERS
from server.services import commissioning, reports
from server.store.models import ClusterRow, UpkeepRow
from tests.factories.claims import NOON
from tests.factories.pages import form_token
from tests.factories.units import OPERATOR
from tests.factories.voices import a_piper

HERE = "xa-1-c1"
PAGE = f"/clusters/{HERE}/upkeep"


class Broken:
    """An engine that is not well."""

    name = "broken"

    def speak(self, _text: str, _wav: object, _manner: object) -> object:
        raise SpeechError("no voice today")


@pytest.fixture
def equipped(any_site):
    with any_site.sessions.begin() as db:
        commissioning.commission(
            db,
            node_id="n-1",
            cluster_id=HERE,
            now=NOON,
            actor=OPERATOR,
            keyring=any_site.keyring,
        )
    return any_site


def with_engine(site, engine) -> None:
    site.app.extensions["loa"] = replace(site.app.extensions["loa"], engines=(engine,))


def pressed(browser, **fields: object):
    fields["csrf_token"] = form_token(browser.get(PAGE).text)
    return browser.post(PAGE, data=fields)


def test_a_technician_orders_on_the_page_and_sees_what_has_become_of_it(equipped):
    technician = equipped.browser("technician")
    assert PAGE in technician.get("/").text
    answer = pressed(technician, deed="identify")
    assert answer.status_code == 303
    shown = technician.get(answer.headers["Location"]).text
    assert "Nháy đèn" in shown
    # It was given at an instant that lies seconds back at most.
    assert "Đã gửi" in shown
    assert "Người technician" in shown
    part = technician.get(f"{PAGE}/state").text
    assert "<html" not in part
    assert "Đã gửi" in part


def test_the_words_of_the_spoken_test_are_made_when_they_are_first_asked_for(equipped, tmp_path):
    with_engine(equipped, PiperProgram(*a_piper(tmp_path, word_s=0.15)))
    technician = equipped.program("technician")
    wanted = {"deed": "spoken", "cuts": True}
    made = technician.ask("POST", PAGE, json=wanted)
    assert made.status_code == 201, made.text
    assert made.json["standing"] == "sent"
    assert made.json["facts"] == {"cuts": True}
    # Spoken once: an engine that has failed since is not asked again.
    with_engine(equipped, Broken())
    again = technician.ask("POST", PAGE, json=wanted)
    assert again.status_code == 201
    shown = technician.ask("GET", f"/upkeep/{again.json['order_id']}").json
    listed = technician.ask("GET", PAGE).json["orders"]
    assert shown in listed
    assert len(listed) == 2


def test_a_server_that_cannot_speak_says_so_and_orders_nothing(equipped):
    with_engine(equipped, Broken())
    refused = pressed(equipped.browser("technician"), deed="spoken")
    assert refused.status_code == 422
    assert "không đọc được câu thử loa" in refused.text
    with equipped.sessions.begin() as db:
        assert db.query(UpkeepRow).count() == 0


def test_the_volume_is_set_on_the_page_and_stands_there(equipped):
    technician = equipped.browser("technician")
    assert pressed(technician, deed="volume", volume_db="-12.0").status_code == 303
    page = technician.get(PAGE).text
    assert '<option value="-12.0" selected>' in page
    with equipped.sessions.begin() as db:
        assert db.get_one(ClusterRow, HERE).volume_ceiling_db == -12.0
    for wrong in ("3", "", "to"):
        assert pressed(technician, deed="volume", volume_db=wrong).status_code == 422


def test_an_officer_sets_the_talk_key_on_the_page_and_a_technician_sees_how_it_stands(equipped):
    officer, technician = equipped.browser("commune-officer"), equipped.browser("technician")
    assert '<strong id="talk-now">Không bao giờ</strong>' in officer.get(PAGE).text
    asked = {"deed": "talk", "talk": "cut-off", "away_min": "15", "talk_s": "90"}
    assert pressed(officer, **asked).status_code == 303
    shown = technician.get(PAGE).text
    assert '<strong id="talk-now">Khi đã mất mạng 15 phút</strong>' in shown
    assert "Phím nói: Khi đã mất mạng 15 phút" in shown
    assert 'name="talk"' not in shown
    assert pressed(technician, **asked).status_code == 403
    wrong = pressed(officer, **{**asked, "away_min": "0"})
    assert wrong.status_code == 422
    assert "số phút nguyên từ 1 đến 1440" in wrong.text
    program = equipped.program("commune-officer")
    answer = program.ask("POST", PAGE, json={"deed": "talk", "talk": "always", "talk_s": 60})
    assert answer.status_code == 201
    assert answer.json["facts"]["talk"] == "always"
    assert "Phím nói: Luôn luôn" in technician.get(PAGE).text


def test_the_page_shows_what_is_in_the_box_and_says_where_there_is_no_talk_key(equipped):
    officer = equipped.browser("commune-officer")
    untold = officer.get(PAGE).text
    assert "chưa cho biết" in untold
    assert 'id="no-talk-key"' not in untold

    def told(*equipment: str):
        here = Presence(node="n-1", state=PresenceState.HERE, equipment=equipment)
        with equipped.sessions.begin() as db:
            reports.take_in(db, "n-1", here, now=datetime.now(UTC))
        return officer.get(PAGE).text

    with_one = told("talk-key", "lamps", "cai-moi")
    assert 'data-equipment="talk-key">Phím nói có micrô' in with_one
    assert 'data-equipment="cai-moi">cai-moi' in with_one
    assert 'id="no-talk-key"' not in with_one
    assert "không có đèn" not in with_one
    listed = equipped.program("commune-officer").ask("GET", "/clusters").json["clusters"]
    (known,) = [one for one in listed if one["cluster_id"] == HERE]
    assert known["equipment"] == ["cai-moi", "lamps", "talk-key"]
    without = told("amplifier")
    assert 'id="no-talk-key"' in without
    assert "không có đèn" in without
    assert "Không có gì nối" in told()


def test_who_orders_too_often_is_told_how_long_to_wait(equipped):
    technician = equipped.program("technician")
    for _again in range(MOST_ORDERS):
        assert technician.ask("POST", PAGE, json={"deed": "identify"}).status_code == 201
    answer = technician.ask("POST", PAGE, json={"deed": "identify"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    page = pressed(equipped.browser("commune-officer"), deed="identify")
    assert page.status_code == 429
    assert "quanh đó có dân ở" in page.text


@pytest.mark.parametrize("somebody", ["viewer", "elsewhere"])
def test_who_may_not_look_after_a_cluster_is_shown_nothing_of_it(equipped, somebody):
    assert PAGE not in equipped.browser(somebody).get("/").text
    assert equipped.browser(somebody).get(PAGE).status_code == 403
    program = equipped.program(somebody)
    assert program.ask("POST", PAGE, json={"deed": "identify"}).status_code == 403
    assert program.ask("GET", PAGE).status_code == 403


def test_a_cluster_without_equipment_has_a_page_that_says_so_and_offers_nothing(equipped):
    page = equipped.browser("technician").get("/clusters/xa-1-c2/upkeep").text
    assert "Cụm loa này chưa có thiết bị." in page
    assert "<form" not in page.partition("<main")[2].partition("</main")[0]
    answer = equipped.program("technician").ask(
        "POST", "/clusters/xa-1-c2/upkeep", json={"deed": "restart"}
    )
    assert (answer.status_code, answer.json["code"]) == (422, "upkeep-refused")
    assert equipped.program("technician").ask("GET", "/upkeep/kt-la").status_code == 404
    assert equipped.browser("technician").get("/clusters/la/upkeep").status_code == 404
