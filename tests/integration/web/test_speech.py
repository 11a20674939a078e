"""Text to speech at the API: read by rule, corrected, spoken once, heard before it is sent."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from audio_library.errors import SpeechError
from audio_library.store import Store
from audio_library.tts.piper import PiperProgram
from server.http.context import now
from server.http.pacing import MOST_SPOKEN, SPOKEN_PER
from server.services import rate_counts
from server.store.models import AssetRow, SpeechRow
from tests.factories.pages import COMMUNE, OTHER
from tests.factories.voices import a_piper

TEXT = "UBND xã: 7h30 ngày 5/9 họp."
SAID = "Ủy ban nhân dân xã: bảy giờ ba mươi phút ngày mùng năm tháng chín họp."


class Counting:
    """An engine that counts what it is asked, and speaks with another."""

    name = "counting"

    def __init__(self, engine):
        self.engine = engine
        self.asked = []

    def speak(self, text, wav, manner):
        self.asked.append((text, manner))
        return self.engine.speak(text, wav, manner)


class Broken:
    """An engine that is not well."""

    name = "broken"

    def speak(self, _text: str, _wav: Path, _manner: object) -> Path:
        raise SpeechError("no voice today")


def with_engines(site, *engines: object):
    site.app.extensions["loa"] = replace(site.app.extensions["loa"], engines=engines)


def a_counting_engine(site, tmp_path):
    counting = Counting(PiperProgram(*a_piper(tmp_path, word_s=0.15)))
    with_engines(site, counting)
    return counting


@pytest.fixture
def engine(site, tmp_path):
    return a_counting_engine(site, tmp_path)


def speech(program, **wanted: object):
    return program.ask("POST", "/speech", json={"unit_id": COMMUNE, "text": TEXT, **wanted})


def test_a_text_is_read_before_it_is_spoken_with_each_change_named(site):
    program = site.program("viewer")
    answer = program.ask("POST", "/speech/readings", json={"text": TEXT})
    assert answer.status_code == 200
    assert answer.json["said"] == SAID
    assert answer.json["spans"][0] == {
        "start": 0,
        "end": 4,
        "written": "UBND",
        "said": "Ủy ban nhân dân",
        "kind": "abbreviation",
    }


def test_a_text_becomes_a_sound_in_the_catalogue_that_the_unit_may_use(any_site, tmp_path):
    engine = a_counting_engine(any_site, tmp_path)
    program = any_site.program("commune-officer")
    answer = speech(program)
    assert answer.status_code == 201, answer.json
    asset = answer.json["asset"]
    assert (asset["unit_id"], asset["purpose"], asset["language"]) == (
        COMMUNE,
        "announcement",
        "vi",
    )
    assert asset["title"] == TEXT
    assert asset["duration_s"] > 2
    assert engine.asked[0][0] == SAID
    audio = program.ask("GET", f"/assets/{asset['digest']}")
    assert audio.data.startswith(b"OggS")
    with any_site.sessions.begin() as db:
        row = db.query(SpeechRow).one()
        assert (row.text, row.said, row.digest) == (TEXT, SAID, asset["digest"])
        assert row.created_by == "commune-officer"


def test_the_same_words_are_spoken_once_whoever_asks(site, engine):
    one = speech(site.program("commune-officer")).json["asset"]
    other = speech(site.program("top"), text=f"  {TEXT} ").json["asset"]
    assert one["digest"] == other["digest"]
    assert len(engine.asked) == 1


@pytest.mark.slow
def test_another_voice_or_pace_is_another_sound(site, engine):
    program = site.program("top")
    digests = {
        speech(program, **manner).json["asset"]["digest"]
        for manner in ({}, {"pace": 1.3}, {"said": "Họp lúc tám giờ."})
    }
    assert len(digests) == len(engine.asked) == 3


@pytest.mark.slow
def test_the_southern_voice_says_numbers_the_southern_way(site, engine):
    speech(site.program("top"), text="2.105 hộ", language="vi-vn-x-south")
    assert engine.asked[0][0] == "hai ngàn một trăm lẻ năm hộ"


def test_what_somebody_corrected_is_what_is_spoken(site, engine):
    answer = speech(site.program("top"), said="Mời bà con họp lúc 8h.").json
    assert engine.asked[0][0] == "Mời bà con họp lúc tám giờ."
    assert answer["reading"]["said"] == "Mời bà con họp lúc tám giờ."


@pytest.mark.slow
def test_a_sound_that_was_lost_from_the_disk_is_made_anew(site, engine):
    program = site.program("top")
    digest = speech(program).json["asset"]["digest"]
    store: Store = site.app.extensions["loa"].audio
    for path in store.path(digest).parent.iterdir():
        path.unlink()
    assert speech(program).json["asset"]["digest"] == digest
    assert len(engine.asked) == 2
    assert store.path(digest).is_file()


@pytest.mark.slow
def test_where_the_better_voice_fails_the_next_one_speaks(site, engine):
    with_engines(site, Broken(), engine)
    answer = speech(site.program("top"))
    assert (answer.status_code, answer.json["engine"]) == (201, "counting")


def test_where_no_voice_speaks_nothing_is_kept_and_recording_is_advised(site):
    with_engines(site, Broken())
    answer = speech(site.program("top"))
    assert (answer.status_code, answer.json["code"]) == (503, "speech-failed")
    assert "Record" in answer.json["detail_by_language"]["en"]
    with site.sessions.begin() as db:
        assert db.query(SpeechRow).count() == 0
        assert db.query(AssetRow).filter_by(purpose="announcement").count() == 0


def test_who_may_not_upload_for_the_unit_makes_no_sound(site, engine):
    for user in ("viewer", "technician", "elsewhere"):
        assert speech(site.program(user)).status_code == 403
    assert engine.asked == []


def test_a_text_without_a_word_is_refused_in_words(site):
    program = site.program("top")
    texts = ("", "   ", "?!…", "🌊", "\x00")
    for text, path in product(texts, ("/speech/readings", "/speech")):
        facts = {"unit_id": COMMUNE} if path == "/speech" else {}
        answer = program.ask("POST", path, json={"text": text, **facts})
        assert answer.status_code == 422
        assert [found["code"] for found in answer.json["findings"]] == ["no-words"]


def test_a_text_that_is_too_long_is_refused_however_it_is_too_long(site):
    program = site.program("top")
    written = program.ask("POST", "/speech/readings", json={"text": "a" * 2001})
    assert written.status_code == 422
    # Two thousand digits are five thousand syllables.
    read = program.ask("POST", "/speech/readings", json={"text": "0" * 2000})
    assert [found["code"] for found in read.json["findings"]] == ["text-too-long"]


@pytest.mark.slow
def test_what_two_communes_both_had_spoken_belongs_to_both(site, engine):
    speech(site.program("commune-officer"))
    answer = speech(site.program("elsewhere"), unit_id=OTHER)
    assert answer.status_code == 201
    assert len(engine.asked) == 1
    listed = site.program("commune-officer").ask("GET", f"/assets?unit_id={COMMUNE}").json
    assert answer.json["asset"]["digest"] in {asset["digest"] for asset in listed["assets"]}


def test_whoever_has_too_much_spoken_is_told_how_long_to_wait(site, engine):
    program = site.program("commune-officer")
    assert speech(program).status_code == 201
    with site.sessions.begin() as db:
        rate_counts.count(
            db, "speech commune-officer", per=SPOKEN_PER, now=now(), amount=MOST_SPOKEN
        )
    answer = speech(program)
    assert (answer.status_code, answer.json["code"]) == (429, "too-often")
    assert 0 < int(answer.headers["Retry-After"]) <= SPOKEN_PER.total_seconds() + 1
    assert "giây" in answer.json["detail"]
    assert len(engine.asked) == 1
    assert speech(site.program("broadcaster")).status_code == 201
