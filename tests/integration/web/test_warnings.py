"""Prepared warnings: spoken once, kept by nodes, filled in, recorded in other languages."""

from dataclasses import replace
from io import BytesIO

import pytest

from audio_library.decode import read_samples
from audio_library.tts.piper import PiperProgram
from protocol.signing import unverified
from server.services import catalogue, units
from server.services.configuring import due_nodes
from server.store.models import AssetRow, BroadcastRow, CompositionRow
from tests.factories.claims import NOON
from tests.factories.pages import COMMUNE, OTHER
from tests.factories.slots import TODAY
from tests.factories.sounds import encode, noise
from tests.factories.units import PROVINCE
from tests.factories.voices import a_piper

VALUES = {"place": "thôn 3", "hour": "19h ngày 22/11"}


def voiced(site, tmp_path):
    engine = PiperProgram(*a_piper(tmp_path, word_s=0.03))
    site.app.extensions["loa"] = replace(site.app.extensions["loa"], engines=(engine,))
    return site


@pytest.fixture
def prepared(site, tmp_path):
    """A site whose voice is a small and hasty program."""
    return voiced(site, tmp_path)


@pytest.fixture
def anywhere(any_site, tmp_path):
    """The same, on SQLite and again on PostgreSQL."""
    return voiced(any_site, tmp_path)


def fill(program, code="flood", **wanted: object):
    return program.ask("POST", f"/warnings/{code}/sounds", json={"unit_id": COMMUNE, **wanted})


def prepare(program, unit_id=PROVINCE, code="flood"):
    return program.ask("POST", f"/warnings/{code}/preparation", json={"unit_id": unit_id})


def listed(program, unit_id=COMMUNE):
    answer = program.ask("GET", f"/warnings?unit_id={unit_id}")
    assert answer.status_code == 200
    return {one["code"]: one for one in answer.json["warnings"]}


def a_recording(program, unit_id, tmp_path, seed=5):
    path = encode(tmp_path / f"recording-{seed}.wav", noise(2.0, seed=seed), codec="pcm_s16le")
    upload = {
        "file": (BytesIO(path.read_bytes()), path.name),
        "unit_id": unit_id,
        "title": "Lũ",
        "purpose": "phrase",
        "language": "hmn",
    }
    return program.ask("POST", "/assets", data=upload).json["digest"]


def pinned(site, unit_id):
    with site.sessions.begin() as db:
        chain = units.tree(db, today=TODAY).chain(unit_id)
        return {row.digest for row in catalogue.pinned(db, chain=chain)}


@pytest.mark.slow
def test_what_is_said_every_time_is_spoken_once_and_kept_by_all_nodes_below(prepared):
    program = prepared.program("top")
    assert not listed(program)["flood"]["is_kept"]
    before = pinned(prepared, COMMUNE)
    assert prepare(program).status_code == 204
    assert prepare(program).status_code == 204
    assert listed(program)["flood"]["is_kept"]
    assert not listed(program)["storm"]["is_kept"]
    kept = pinned(prepared, COMMUNE) - before
    assert len(kept) == 2
    assert kept <= pinned(prepared, OTHER)
    with prepared.sessions.begin() as db:
        assert due_nodes(db, now=NOON, under=PROVINCE) == []


def test_a_filled_warning_is_put_together_from_what_nodes_keep_and_what_was_filled_in(anywhere):
    prepare(anywhere.program("top"))
    kept = pinned(anywhere, COMMUNE)
    program = anywhere.program("commune-officer")
    answer = fill(program, values=VALUES)
    assert answer.status_code == 201, answer.json
    assert [piece["is_fixed"] for piece in answer.json["pieces"]] == [True, False, True]
    assert answer.json["pieces"][1]["text"] == "Khu vực: thôn 3. Thời gian: 19h ngày 22/11."
    digest = answer.json["asset"]["digest"]
    sent = program.ask(
        "POST",
        "/broadcasts",
        json={
            "request_id": "request-00000001",
            "unit_id": COMMUNE,
            "title": "Cảnh báo lũ",
            "asset_digest": digest,
            "units": [COMMUNE],
        },
    )
    assert sent.status_code == 201, sent.json
    with anywhere.sessions.begin() as db:
        row = db.get_one(BroadcastRow, sent.json["broadcast_id"])
        items = unverified(row.token).msg.claim.content.items
        parts = db.get_one(CompositionRow, digest).parts
        assert row.asset_digest == digest
    assert [item.digest for item in items] == parts
    assert [item.digest in kept for item in items] == [True, False, True]
    # What people hear beforehand lasts as long as what the nodes put together.
    whole = read_samples(anywhere.app.extensions["loa"].audio.path(digest))
    assert len(whole) / 48_000 == pytest.approx(sum(item.duration_s for item in items), abs=0.1)


@pytest.mark.slow
def test_with_nothing_filled_in_nodes_have_all_of_it_already(prepared):
    prepare(prepared.program("top"))
    answer = fill(prepared.program("commune-officer"))
    assert [piece["is_fixed"] for piece in answer.json["pieces"]] == [True, True]
    with prepared.sessions.begin() as db:
        parts = db.get_one(CompositionRow, answer.json["asset"]["digest"]).parts
    assert set(parts) <= pinned(prepared, COMMUNE)
    # A second time it is the same, and nothing is made.
    assert fill(prepared.program("top")).json["asset"]["digest"] == answer.json["asset"]["digest"]
    with prepared.sessions.begin() as db:
        assert db.query(CompositionRow).count() == 1


@pytest.mark.slow
def test_a_warning_that_a_commune_made_first_is_still_kept_by_all_nodes_later(prepared):
    fill(prepared.program("commune-officer"))
    prepare(prepared.program("top"))
    assert listed(prepared.program("top"), OTHER)["flood"]["is_kept"]
    with prepared.sessions.begin() as db:
        kept = db.query(AssetRow).filter_by(purpose=catalogue.PHRASE).all()
        assert {row.unit_id for row in kept} == {PROVINCE}


@pytest.mark.slow
def test_a_recording_in_another_language_follows_and_is_kept_by_the_units_nodes(prepared, tmp_path):
    program = prepared.program("commune-officer")
    digest = a_recording(program, COMMUNE, tmp_path)
    answer = program.ask(
        "PUT",
        "/warnings/flood/recordings/hmn",
        json={"unit_id": COMMUNE, "asset_digest": digest},
    )
    assert answer.status_code == 204
    assert listed(program)["flood"]["recordings"] == {"hmn": digest}
    assert digest in pinned(prepared, COMMUNE)
    assert digest not in pinned(prepared, OTHER)
    made = fill(program, languages=["hmn", "hmn"]).json
    assert [piece["language"] for piece in made["pieces"]] == ["vi", "vi", "hmn"]
    with prepared.sessions.begin() as db:
        assert db.get_one(CompositionRow, made["asset"]["digest"]).parts[-1] == digest


@pytest.mark.slow
def test_a_units_own_recording_goes_before_that_of_the_unit_above(anywhere, tmp_path):
    top, own = anywhere.program("top"), anywhere.program("commune-officer")
    upper, lower = (
        a_recording(top, PROVINCE, tmp_path, 5),
        a_recording(own, COMMUNE, tmp_path, 6),
    )
    for program, unit_id, digest in ((top, PROVINCE, upper), (own, COMMUNE, lower)):
        wanted = {"unit_id": unit_id, "asset_digest": digest}
        program.ask("PUT", "/warnings/flood/recordings/hmn", json=wanted)
    assert listed(own)["flood"]["recordings"] == {"hmn": lower}
    assert listed(anywhere.program("elsewhere"), OTHER)["flood"]["recordings"] == {"hmn": upper}
    for _ in range(2):
        gone = own.ask("DELETE", f"/warnings/flood/recordings/hmn?unit_id={COMMUNE}")
        assert gone.status_code == 204
    assert listed(own)["flood"]["recordings"] == {"hmn": upper}


def test_what_cannot_be_filled_in_is_said_and_nothing_is_made(prepared):
    program = prepared.program("commune-officer")
    for wanted, code in (
        ({"values": {"colour": "đỏ"}}, "unknown-slot"),
        ({"values": {"place": "một\nhai"}}, "bad-slot-value"),
        ({"languages": ["hmn"]}, "not-recorded"),
    ):
        answer = fill(program, **wanted)
        assert answer.status_code == 422
        assert [found["code"] for found in answer.json["findings"]] == [code]
    with prepared.sessions.begin() as db:
        assert db.query(CompositionRow).count() == 0


def test_languages_and_files_that_there_are_not_are_refused(prepared):
    for language, digest, code in (
        ("vi", prepared.digest, "not-a-recorded-language"),
        ("xx", prepared.digest, "not-a-recorded-language"),
        ("hmn", "0" * 64, "unknown-asset"),
    ):
        answer = prepared.program("top").ask(
            "PUT",
            f"/warnings/flood/recordings/{language}",
            json={"unit_id": COMMUNE, "asset_digest": digest},
        )
        assert [found["code"] for found in answer.json["findings"]] == [code]


@pytest.mark.parametrize("user", ["viewer", "technician", "elsewhere"])
def test_who_may_not_upload_for_the_unit_may_look_at_most(prepared, user):
    program = prepared.program(user)
    recording = {"unit_id": COMMUNE, "asset_digest": prepared.digest}
    answers = (
        fill(program),
        prepare(program, COMMUNE),
        program.ask("PUT", "/warnings/flood/recordings/hmn", json=recording),
        program.ask("DELETE", f"/warnings/flood/recordings/hmn?unit_id={COMMUNE}"),
    )
    assert [answer.status_code for answer in answers] == [403, 403, 403, 403]


def test_a_warning_that_there_is_not_is_not_found(prepared):
    assert fill(prepared.program("top"), code="earthquake").status_code == 404


@pytest.mark.slow
def test_pages_list_the_ten_put_one_on_the_nodes_and_take_a_recording(prepared, tmp_path):
    program = prepared.program("top")
    browser = prepared.browser("top")
    page = browser.get(f"/warnings?unit={COMMUNE}").text
    assert page.count("/warnings/") == 10
    assert "Cảnh báo lũ quét" in page
    one = browser.get(f"/warnings/flood?unit={COMMUNE}&lang=en").text
    assert "Flood" in one
    token = one.split('name="csrf_token" value="')[1].split('"')[0]
    facts = {"csrf_token": token, "unit_id": COMMUNE}
    done = browser.post("/warnings/flood/prepare", data=facts)
    assert done.status_code == 303
    assert listed(program)["flood"]["is_kept"]
    recording = {"language": "tyz", "asset_digest": a_recording(program, COMMUNE, tmp_path)}
    assert (
        browser.post("/warnings/flood/recordings", data={**facts, **recording}).status_code == 303
    )
    assert "Tày" in browser.get(f"/warnings/flood?unit={COMMUNE}").text
    assert 'data-fill="flood"' in browser.get(f"/urgent?unit={COMMUNE}").text
    gone = browser.post("/warnings/flood/recordings/tyz/forget", data=facts)
    assert gone.status_code == 303
    assert listed(program)["flood"]["recordings"] == {}
