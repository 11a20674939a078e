"""Files named by their content, and their descriptions."""

import hashlib
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from audio_library.__main__ import main
from audio_library.assets import Asset
from audio_library.errors import BadManifestError, MissingAssetError
from audio_library.ingest import ingest
from audio_library.manifest import manifest_path, read_manifest, write_manifest
from audio_library.store import Store
from protocol.ids import AssetDigest

NOWHERE = AssetDigest("0" * 64)


def test_a_file_is_kept_under_its_digest(programme, store):
    digest = store.put(programme)
    assert digest == hashlib.sha256(programme.read_bytes()).hexdigest()
    assert store.path(digest) == store.root / digest[:2] / f"{digest}.opus"
    with store.open(digest) as file:
        assert file.read() == programme.read_bytes()
    assert list(store.digests()) == [digest]


def test_putting_twice_writes_once(programme, store):
    first = store.put(programme)
    file = store.path(first).stat().st_ino
    assert store.put(programme) == first
    assert store.path(first).stat().st_ino == file


def test_a_file_damaged_on_disk_is_noticed_and_healed_when_brought_again(programme, store):
    digest = store.put(programme)
    store.path(digest).write_bytes(b"rot")
    assert not store.verify(digest)
    store.put(programme)
    assert store.verify(digest)


def test_a_missing_asset_is_named(store):
    for ask in (store.open, store.verify, lambda digest: read_manifest(store, digest)):
        with pytest.raises(MissingAssetError) as missing:
            ask(NOWHERE)
        assert missing.value.digest == NOWHERE


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "AB" * 32, "0" * 63])
def test_what_is_no_digest_leads_nowhere(name, store):
    with pytest.raises(MissingAssetError):
        store.path(AssetDigest(name))


def test_a_manifest_is_never_changed(programme, store):
    asset = ingest(programme, store)
    content = manifest_path(store, asset.digest).read_bytes()
    assert write_manifest(store, replace(asset, source_digest="f" * 64)) == asset
    assert manifest_path(store, asset.digest).read_bytes() == content


@pytest.fixture(scope="session")
def kept(programme, tmp_path_factory) -> tuple[Store, Asset]:
    """A store that nobody changes, and the asset in it."""
    store = Store(tmp_path_factory.mktemp("kept") / "store")
    return store, ingest(programme, store)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"gain_db"', b'"note": 1, "gain_db"'),
        (b'"frames": 288000', b'"frames": 288001.0'),
        (b'"recipe"', b'"receipt"'),
        (b"{", b"<"),
    ],
)
def test_a_manifest_somebody_edited_is_refused(old, new, kept, store):
    shutil.copytree(kept[0].root, store.root)
    path = manifest_path(store, kept[1].digest)
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(BadManifestError):
        read_manifest(store, kept[1].digest)


@pytest.mark.slow
def test_a_manifest_somebody_edited_is_healed_when_its_file_is_brought_again(
    programme, kept, store
):
    shutil.copytree(kept[0].root, store.root)
    manifest_path(store, kept[1].digest).write_bytes(b"<")
    assert ingest(programme, store) == kept[1]
    assert read_manifest(store, kept[1].digest) == kept[1]


def test_the_command_line_brings_a_file_and_checks_a_store(programme, store, capsys):
    assert main(["ingest", str(programme), "--store", str(store.root)]) == 0
    digest = msgspec.json.decode(capsys.readouterr().out)["digest"]
    assert main(["verify", str(store.root)]) == 0
    assert "1 assets, 0 damaged" in capsys.readouterr().out
    store.path(AssetDigest(digest)).write_bytes(b"rot")
    assert main(["verify", str(store.root)]) == 1
    assert digest in capsys.readouterr().out


def test_the_command_line_says_why_a_file_is_refused(store, tmp_path, capsys):
    (tmp_path / "text.mp3").write_text("xin chào")
    assert main(["ingest", str(tmp_path / "text.mp3"), "--store", str(store.root)]) == 1
    assert capsys.readouterr().err.startswith("not_audio: ")


def test_the_command_line_speaks(tmp_path):
    out = tmp_path / "hello.wav"
    assert main(["speak", "Xin chào bà con", str(out)]) == 0
    assert out.stat().st_size > 20_000


def test_what_a_kill_left_half_done_is_swept_and_what_is_under_way_stays(tmp_path):
    store = Store(tmp_path / "audio")
    source = tmp_path / "whole"
    source.write_bytes(b"whole")
    digest = store.put(source)
    old, young = store.root / ".incoming-old", store.root / ".incoming-young"
    half = store.path(digest).parent / ".incoming-half"
    for folder in (old, young):
        folder.mkdir()
        (folder / "work.opus").write_bytes(b"half")
    half.write_bytes(b"half")
    for path in (old, half, store.path(digest)):
        os.utime(path, (1000, 1000))
    assert store.sweep(before=datetime.fromtimestamp(1001, UTC)) == 2
    assert (old.exists(), half.exists(), young.exists()) == (False, False, True)
    assert store.verify(digest)
    assert Store(tmp_path / "none").sweep(before=datetime.fromtimestamp(1001, UTC)) == 0
