"""What was spoken or filled in and never used is forgotten; what anything names stays for ever."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audio_library.manifest import manifest_path
from audio_library.store import Store
from protocol.ids import AssetDigest
from server.services import catalogue, scheduling
from server.services.unused_sounds import KEPT, forget_unused
from server.store.models import AssetRow, CompositionRow, SlotChangeRow, SpeechRow, WaitingRow
from tests.factories.claims import NOON
from tests.factories.provinces import CHIME, SPEECH, a_new_slot
from tests.factories.units import OPERATOR

HOUR = timedelta(hours=1)
LATER = NOON + KEPT + HOUR


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "audio")


def put(store: Store, text: str) -> AssetDigest:
    """Put a file in as it was put in at noon."""
    source = store.root.parent / "source"
    source.write_text(text)
    digest = store.put(source)
    manifest_path(store, digest).write_text("{}")
    aged(store.path(digest))
    return digest


def aged(path: Path, at: datetime = NOON) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))


def prepared(
    province, store: Store, text: str, *, purpose: str = catalogue.ANNOUNCEMENT, is_spoken=True
) -> AssetDigest:
    digest = put(store, text)
    with province.sessions.begin() as db:
        db.add(
            AssetRow(
                digest=digest,
                unit_id="xa-1",
                title=text,
                purpose=purpose,
                duration_s=3.0,
                size_bytes=len(text),
                created_at=NOON,
                created_by="can-bo",
            )
        )
        db.flush()  # the asset stands before what refers to it
        if is_spoken:
            made = {"engine": "espeak-ng", "language": "vi", "created_by": "can-bo"}
            db.add(
                SpeechRow(key=digest, digest=digest, text=text, said=text, created_at=NOON, **made)
            )
    return digest


def filled(province, store: Store, text: str, *parts: AssetDigest) -> AssetDigest:
    digest = prepared(province, store, text, is_spoken=False)
    with province.sessions.begin() as db:
        db.add(CompositionRow(digest=digest, key=digest, parts=list(parts)))
    return digest


def rows(province) -> set[str]:
    with province.sessions() as db:
        return {row.digest for row in db.query(AssetRow)} - {SPEECH.digest, CHIME.digest}


def forgotten_after(province, store: Store, *looks: datetime) -> None:
    for now in looks:
        forget_unused(province.sessions, now, store=store)


def test_what_nobody_used_goes_with_its_text_and_its_file_and_what_is_young_stays(province, store):
    digest = prepared(province, store, "thử")
    whole = filled(province, store, "cảnh báo thử", digest)
    forgotten_after(province, store, NOON + KEPT, NOON + KEPT)
    assert rows(province) == {digest, whole}
    forgotten_after(province, store, LATER)
    assert (rows(province), len(list(store.digests()))) == (set(), 2)
    forgotten_after(province, store, LATER + HOUR)
    assert list(store.digests()) == []
    assert not manifest_path(store, digest).exists()
    with province.sessions() as db:
        assert (db.query(SpeechRow).count(), db.query(CompositionRow).count()) == (0, 0)


def test_a_recording_and_a_piece_that_nodes_keep_are_none_of_its_business(province, store):
    recording = prepared(province, store, "ghi âm", is_spoken=False)
    piece = prepared(province, store, "khung", purpose=catalogue.PHRASE)
    forgotten_after(province, store, LATER, LATER + HOUR)
    assert rows(province) == set(store.digests()) == {recording, piece}


def announced(province, digest: str) -> None:
    province.announce(asset_digest=digest)


def planned(province, digest: str) -> None:
    new = a_new_slot(assets=(digest,))
    with province.sessions.begin() as db:
        scheduling.add_slot(db, new, now=NOON, actor=OPERATOR, keyring=province.keyring)


def waiting(province, digest: str) -> None:
    with province.sessions.begin() as db:
        db.add(
            WaitingRow(
                broadcast_id="b-cho",
                request_id="r-cho",
                unit_id="xa-1",
                cover_id="xa-1",
                wanted={"asset_digest": digest},
                clusters=2,
                asked_at=NOON,
                asked_by="can-bo",
                ends_at=NOON + HOUR,
                state="lapsed",
            )
        )


def changed(province, digest: str) -> None:
    with province.sessions.begin() as db:
        steps = {"steps": [{"was": {"assets": [digest]}}]}
        db.add(SlotChangeRow(actor="can-bo", at=NOON, kind="move", title="Sáng", steps=steps))


@pytest.mark.parametrize("used", [announced, planned, waiting, changed])
def test_what_anything_names_stays_with_all_that_it_was_put_together_from(province, store, used):
    fill, stray = prepared(province, store, "thôn Bản Cáp"), prepared(province, store, "nháp")
    whole = filled(province, store, "cảnh báo", fill)
    used(province, whole)
    forgotten_after(province, store, LATER, LATER + HOUR)
    assert rows(province) == set(store.digests()) == {whole, fill}
    assert stray not in store.digests()


def test_what_is_prepared_again_is_as_young_as_what_is_new(province, store):
    digest = prepared(province, store, "nhắc lại")
    with province.sessions.begin() as db:
        catalogue.renew(db.get_one(AssetRow, digest), now=LATER - HOUR)
    forgotten_after(province, store, LATER, LATER + HOUR)
    assert rows(province) == set(store.digests()) == {digest}


def test_a_file_that_is_put_in_again_is_as_young_as_what_is_new(store):
    digest = put(store, "nhắc lại")
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    aged(store.path(digest), long_ago)
    assert store.untouched(before=long_ago + HOUR, but=()) == [digest]
    source = store.root.parent / "source"
    source.write_text("nhắc lại")
    assert store.put(source) == digest
    assert store.untouched(before=long_ago + HOUR, but=()) == []
