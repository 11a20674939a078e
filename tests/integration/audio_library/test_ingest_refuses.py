"""What cannot go on air is refused with its reason, and nothing is stored."""

import resource
import struct
import subprocess
import sys
import wave
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest

import audio_library
from audio_library.assets import Limits
from audio_library.child import run_module
from audio_library.decode import write_wav
from audio_library.errors import PreparationError, Reason, RefusedAudioError, StoreError
from audio_library.ingest import ingest
from audio_library.music import melody
from audio_library.store import Store

# Uploads of every day are tried on the pages and in the demo.
pytestmark = pytest.mark.slow

ROOT = Path(audio_library.__file__).parents[1]


def files_in(store):
    return [path for path in store.root.rglob("*") if path.is_file()]


def refusal(source, store, limits=None):
    """Bring a file, expect it to be refused, and tell why."""
    with pytest.raises(RefusedAudioError) as refused:
        ingest(source, store, limits or Limits())
    assert files_in(store) == []
    assert refused.value.detail
    return refused.value.reason_code


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("Kính gửi bà con, đây là văn bản chứ không phải âm thanh.\n" * 200)


def picture(path):
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
        image = np.full((64, 64, 3), 120, dtype=np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bản tin.txt", "xin chào" * 1000)


def noise(path):
    path.write_bytes(np.random.default_rng(4).bytes(200_000))


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("nothing.mp3", empty, Reason.EMPTY),
        ("text.mp3", text, Reason.NOT_AUDIO),
        ("text.wav", text, Reason.NOT_AUDIO),
        ("picture.png", picture, Reason.NOT_AUDIO),
        ("zip.m4a", zipped, Reason.NOT_AUDIO),
        ("noise.mp3", noise, Reason.NOT_AUDIO),
        ("noise.ogg", noise, Reason.NOT_AUDIO),
    ],
)
def test_what_is_no_audio_is_refused(name, make, reason, store, tmp_path):
    make(tmp_path / name)
    assert refusal(tmp_path / name, store) is reason


# Each of these opens where nothing forbids it: names are relative and endings are the usual ones.
PLAYLISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:6,\nfile://{path}\n#EXT-X-ENDLIST\n",
    "near.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:6,\n{path.name}\n#EXT-X-ENDLIST\n",
    "list.ffconcat": "ffconcat version 1.0\nfile {path.name}\n",
}


@pytest.mark.parametrize("disguise", ["", ".mp3"])
@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_cannot_make_the_server_read_its_own_files(
    name, disguise, programme, convert, store, tmp_path
):
    secret = convert(programme, tmp_path / "secret.ts", "-c:a", "aac")
    playlist = tmp_path / f"{name}{disguise}"
    playlist.write_text(PLAYLISTS[name].format(path=secret))
    assert refusal(playlist, store) is Reason.NOT_AUDIO


def test_a_film_without_sound_is_no_audio(store, tmp_path):
    source = tmp_path / "film.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    assert refusal(source, store) is Reason.NOT_AUDIO


def test_a_header_claiming_2_ghz_is_refused(store, tmp_path):
    source = tmp_path / "ghz.wav"
    rate_hz, payload = 2_000_000_000, bytes(40_000)
    layout = struct.pack("<HHIIHH", 1, 1, rate_hz, min(rate_hz * 2, 2**32 - 1), 2, 16)
    chunks = b"fmt " + struct.pack("<I", 16) + layout
    chunks += b"data" + struct.pack("<I", len(payload)) + payload
    source.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    assert refusal(source, store) is Reason.UNSUPPORTED


def test_nine_channels_are_refused(store, tmp_path):
    source = tmp_path / "nine.wav"
    with wave.open(str(source), "wb") as out:
        out.setparams((9, 2, 48_000, 0, "NONE", ""))
        out.writeframes(np.random.default_rng(1).bytes(9 * 2 * 48_000))
    assert refusal(source, store) is Reason.UNSUPPORTED


@pytest.mark.parametrize("name", ["apple.aiff", "windows.wma"])
def test_audio_of_a_kind_we_do_not_take_is_called_unsupported(
    name, speech, convert, store, tmp_path
):
    assert refusal(convert(speech, tmp_path / name), store) is Reason.UNSUPPORTED


CUT = {
    "a.mp3": ("-b:a", "64k"),
    "a.wav": ("-c:a", "pcm_s16le"),
    "a.flac": ("-c:a", "flac"),
    "a.m4a": ("-c:a", "aac", "-movflags", "+faststart"),
    "a.webm": ("-c:a", "libopus"),
}


@pytest.mark.parametrize("share", [0.4, 0.8])
@pytest.mark.parametrize("name", CUT)
def test_a_file_that_lost_its_tail_is_damaged(name, share, programme, convert, store, tmp_path):
    source = convert(programme, tmp_path / name, *CUT[name])
    whole = source.read_bytes()
    source.write_bytes(whole[: int(share * len(whole))])
    assert refusal(source, store) is Reason.DAMAGED


@pytest.mark.parametrize("name", CUT)
def test_a_file_that_lost_its_last_bytes_is_taken_as_far_as_it_goes(
    name, programme, convert, store, tmp_path
):
    source = convert(programme, tmp_path / name, *CUT[name])
    whole = source.read_bytes()
    source.write_bytes(whole[: int(0.98 * len(whole))])
    assert ingest(source, store).duration_s == pytest.approx(6.0, abs=0.25)


@pytest.mark.parametrize("name", [*CUT, "a.ogg", "a.opus"])
def test_a_file_cut_in_its_header_is_damaged(name, programme, convert, store, tmp_path):
    source = convert(programme, tmp_path / name, *CUT.get(name, ()))
    source.write_bytes(source.read_bytes()[:60])
    assert refusal(source, store) is Reason.DAMAGED


def test_an_m4a_whose_index_was_cut_off_is_damaged(programme, convert, store, tmp_path):
    source = convert(programme, tmp_path / "a.m4a", "-c:a", "aac")
    whole = source.read_bytes()
    source.write_bytes(whole[: int(0.9 * len(whole))])
    assert refusal(source, store) is Reason.DAMAGED


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.opus"])
def test_a_file_with_many_wrong_bytes_is_damaged(name, programme, convert, store, tmp_path):
    source = convert(programme, tmp_path / name)
    content = bytearray(source.read_bytes())
    chance = np.random.default_rng(2)
    for at in range(2000, len(content), 700):
        content[at : at + 8] = chance.bytes(8)
    source.write_bytes(bytes(content))
    assert refusal(source, store) is Reason.DAMAGED


@pytest.fixture
def one_wrong_byte(programme, convert, tmp_path):
    """Opus with a wrong byte in the middle, and pages as long as asked."""

    def one_wrong_byte(page_us):
        source = convert(programme, tmp_path / "a.opus", "-page_duration", str(page_us))
        content = bytearray(source.read_bytes())
        content[len(content) // 2] ^= 0xFF
        source.write_bytes(bytes(content))
        return source

    return one_wrong_byte


def test_a_second_missing_of_six_is_damage(one_wrong_byte, store):
    assert refusal(one_wrong_byte(1_000_000), store) is Reason.DAMAGED


def test_a_tenth_of_a_second_missing_of_six_is_forgiven(one_wrong_byte, store):
    assert ingest(one_wrong_byte(100_000), store).duration_s == pytest.approx(5.9, abs=0.05)


def test_a_wrong_byte_in_an_mp3_is_forgiven(programme, convert, store, tmp_path):
    source = convert(programme, tmp_path / "a.mp3", "-b:a", "64k")
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 0xFF
    source.write_bytes(bytes(content))
    assert ingest(source, store).duration_s == pytest.approx(6.0, abs=0.1)


def test_digital_silence_is_refused_as_silent(store, tmp_path):
    write_wav(tmp_path / "silence.wav", np.zeros(96_000, dtype=np.float32))
    assert refusal(tmp_path / "silence.wav", store) is Reason.SILENT


def test_a_slip_of_the_finger_is_too_short(speech, convert, store, tmp_path):
    source = convert(speech, tmp_path / "slip.wav", "-t", "0.19")
    assert refusal(source, store) is Reason.TOO_SHORT


def test_a_file_may_not_be_too_large(programme, store):
    limits = Limits(max_size_bytes=programme.stat().st_size - 1)
    assert refusal(programme, store, limits) is Reason.TOO_LARGE


def test_a_file_may_not_claim_too_long(programme, store):
    assert refusal(programme, store, Limits(max_duration_s=5.9)) is Reason.TOO_LONG


def test_a_file_that_claims_nothing_may_not_be_too_long(programme, pipe, store, tmp_path):
    source = pipe(programme, tmp_path / "a.webm", "-c:a", "libopus", "-f", "webm")
    assert refusal(source, store, Limits(max_duration_s=5.9)) is Reason.TOO_LONG


def test_a_file_may_not_keep_the_server_busy(store, tmp_path):
    write_wav(tmp_path / "long.wav", melody(1, 30.0))
    assert refusal(tmp_path / "long.wav", store, Limits(wall_s=0.3)) is Reason.TIMEOUT


def test_a_file_may_not_eat_the_memory(programme, store):
    with pytest.raises((RefusedAudioError, PreparationError)):
        ingest(programme, store, Limits(memory_bytes=60_000_000))
    assert files_in(store) == []


def test_the_process_that_decodes_inherits_no_secret(monkeypatch):
    monkeypatch.setenv("LOA_SECRET_KEY", "do-not-tell")
    done = run_module(
        "timeit",
        ["-n1", "-r1", "-s", "import os", "print(sorted(os.environ.items()))"],
        timeout_s=20,
    )
    assert b"PYTHONPATH" in done.stdout
    assert b"do-not-tell" not in done.stdout


def on_a_small_disk(code, source, store):
    """Run code where no file may grow beyond 8 kB."""
    return subprocess.run(
        [sys.executable, "-c", code, str(source), str(store.root)],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
        check=False,
    )


@pytest.mark.parametrize(
    ("act", "error"),
    [
        ("ingest(Path(sys.argv[1]), store)", PreparationError),
        ("store.put(Path(sys.argv[1]))", StoreError),
    ],
)
def test_a_full_disk_leaves_nothing_behind(act, error, programme, store):
    done = on_a_small_disk(
        "import sys; from pathlib import Path\n"
        "from audio_library.ingest import ingest; from audio_library.store import Store\n"
        f"store = Store(Path(sys.argv[2])); {act}",
        programme,
        store,
    )
    assert error.__name__ in done.stderr
    assert files_in(store) == []


def test_a_store_on_a_read_only_place_says_so(programme):
    with pytest.raises(StoreError):
        ingest(programme, Store(Path("/proc/store")))
