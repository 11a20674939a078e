"""Every kind of file people bring becomes an asset that sounds like it."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from audio_library.assets import RATE_HZ, RECIPE
from audio_library.decode import decode_to_wav, read_samples, write_wav
from audio_library.ingest import ingest
from audio_library.loudness import measure
from audio_library.manifest import read_manifest
from audio_library.music import melody

# Uploads of every day are tried on the pages and in the demo.
pytestmark = pytest.mark.slow

KINDS = {
    "stereo.mp3": ("-ac", "2", "-ar", "44100", "-b:a", "128k"),
    "mono.wav": ("-c:a", "pcm_s16le"),
    "phone.m4a": ("-c:a", "aac", "-b:a", "96k"),
    "length.webm": ("-c:a", "libopus", "-b:a", "64k"),
    "variable.mp3": ("-q:a", "4", "-write_xing", "0"),
    "stereo.wav": ("-c:a", "pcm_s16le", "-ac", "2", "-ar", "44100"),
    "bits8.wav": ("-c:a", "pcm_u8"),
    "bits24.wav": ("-c:a", "pcm_s24le"),
    "float32.wav": ("-c:a", "pcm_f32le"),
    "lossless.flac": ("-c:a", "flac"),
    "six_channels.flac": ("-c:a", "flac", "-filter:a", "pan=5.1|c0=c0|c1=c0|c2=c0|c4=c0|c5=c0"),
    "vorbis.ogg": ("-c:a", "libvorbis", "-q:a", "5"),
    "speech.opus": ("-c:a", "libopus", "-b:a", "64k"),
    "phone.mp4": ("-c:a", "alac"),
    "raw.aac": ("-c:a", "aac", "-b:a", "96k"),
}


def alike(one, other):
    """Find the best shift of one piece on another: likeness from 0 to 1, and the shift."""
    size = 2 * max(len(one), len(other))
    product = np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size))
    likeness = np.fft.irfft(product) / (np.linalg.norm(one) * np.linalg.norm(other))
    at = int(np.argmax(np.abs(likeness)))
    return float(abs(likeness[at])), (at if at < size // 2 else at - size) / RATE_HZ


def assert_sounds_like(store, asset, original):
    sound = read_samples(store.path(asset.digest))
    assert len(sound) == asset.frames
    likeness, shift_s = alike(sound, read_samples(original))
    assert likeness > 0.9
    # AAC's encoder puts 1,024 samples in front, and raw AAC has nowhere to say so.
    assert abs(shift_s) < 0.05
    assert asset.duration_s == pytest.approx(len(read_samples(original)) / RATE_HZ, abs=0.1)
    assert -18.5 < asset.loudness_lufs < -14.5
    assert asset.peak_dbtp < -1.0


@pytest.mark.parametrize("name", KINDS)
def test_every_accepted_kind_becomes_an_asset(name, programme, convert, store, tmp_path):
    source = convert(programme, tmp_path / name, *KINDS[name])
    asset = ingest(source, store)
    assert_sounds_like(store, asset, programme)
    assert read_manifest(store, asset.digest) == asset
    assert store.verify(asset.digest)
    assert asset.size_bytes == store.path(asset.digest).stat().st_size
    assert asset.origin.size_bytes == source.stat().st_size
    assert asset.origin.lost_packets == 0
    assert asset.recipe == RECIPE


def test_a_telephone_recording_at_8_khz_is_accepted(speech, convert, store, tmp_path):
    source = convert(speech, tmp_path / "phone.wav", "-ar", "8000", "-c:a", "pcm_s16le")
    asset = ingest(source, store)
    assert asset.origin.rate_hz == 8000
    assert_sounds_like(store, asset, source)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("recorder.webm", ("-c:a", "libopus", "-f", "webm")),
        ("piped.wav", ("-c:a", "pcm_s16le", "-f", "wav")),
        ("piped.flac", ("-c:a", "flac", "-f", "flac")),
    ],
)
def test_a_file_that_does_not_know_its_length_is_accepted(
    name, arguments, programme, pipe, store, tmp_path
):
    source = pipe(programme, tmp_path / name, *arguments)
    assert_sounds_like(store, ingest(source, store), programme)


def test_a_name_that_lies_about_the_kind_does_no_harm(programme, convert, store, tmp_path):
    source = convert(programme, tmp_path / "a.flac")
    assert_sounds_like(store, ingest(source.rename(tmp_path / "a.mp3"), store), programme)


def test_tags_in_a_broken_encoding_do_no_harm(programme, convert, store, tmp_path):
    source = convert(programme, tmp_path / "a.mp3", "-metadata", "title=TITLE")
    source.write_bytes(source.read_bytes().replace(b"TITLE", b"\xff\xfe\xc3\x28\xe1"))
    assert_sounds_like(store, ingest(source, store), programme)


def test_two_equal_channels_are_as_loud_as_one(programme, convert, store, tmp_path):
    both = convert(programme, tmp_path / "both.wav", "-filter:a", "pan=stereo|c0=c0|c1=c0")
    one = ingest(programme, store).origin.loudness
    two = ingest(both, store).origin.loudness
    assert two.integrated_lufs == pytest.approx(one.integrated_lufs, abs=0.02)
    assert two.peak_dbtp == pytest.approx(one.peak_dbtp, abs=0.02)


def test_channels_in_opposite_phase_do_not_cancel_the_programme(
    programme, convert, store, tmp_path
):
    source = convert(programme, tmp_path / "o.wav", "-filter:a", "pan=stereo|c0=c0|c1=-1*c0")
    assert_sounds_like(store, ingest(source, store), programme)


def test_a_faint_recording_is_raised_and_a_loud_one_lowered(store, tmp_path):
    piece = melody(5, 4.0)
    write_wav(tmp_path / "faint.wav", piece * np.float32(0.01))
    write_wav(tmp_path / "loud.wav", np.clip(piece * np.float32(8.0), -1, 1))
    faint = ingest(tmp_path / "faint.wav", store)
    loud = ingest(tmp_path / "loud.wav", store)
    assert faint.gain_db == 15.0
    assert loud.gain_db < -5.0
    assert loud.loudness_lufs == pytest.approx(-16.0, abs=1.0)


def test_music_keeps_its_dynamics(store, tmp_path):
    piece = melody(8, 8.0)
    piece[len(piece) // 2 :] *= np.float32(0.25)
    write_wav(tmp_path / "music.wav", piece * np.float32(0.5))
    asset = ingest(tmp_path / "music.wav", store)
    sound = read_samples(store.path(asset.digest))
    halves = sound[: len(sound) // 2], sound[len(sound) // 2 :]
    before = 20 * np.log10(np.std(piece[: len(piece) // 2]) / np.std(piece[len(piece) // 2 :]))
    after = 20 * np.log10(np.std(halves[0]) / np.std(halves[1]))
    assert after == pytest.approx(before, abs=1.5)


def test_a_clip_shorter_than_the_meters_block_is_levelled(speech, store, tmp_path):
    write_wav(tmp_path / "short.wav", read_samples(speech)[6000:18000])
    asset = ingest(tmp_path / "short.wav", store)
    assert asset.frames == 12000
    assert asset.gain_db != 0.0


def test_pages_hold_a_tenth_of_a_second(programme, store):
    asset = ingest(programme, store)
    content = store.path(asset.digest).read_bytes()
    granules = [
        int.from_bytes(content[page.start() + 6 : page.start() + 14], "little")
        for page in re.finditer(rb"OggS\x00", content)
    ]
    steps = np.diff(granules[2:])
    assert len(steps) > 50
    assert steps.max() <= RATE_HZ // 10


def test_the_stated_level_is_the_level_that_sounds(programme, store, tmp_path):
    asset = ingest(programme, store)
    wav = tmp_path / "heard.wav"
    assert decode_to_wav(store.path(asset.digest), wav) == asset.frames
    heard = measure(wav)
    assert heard.integrated_lufs == pytest.approx(asset.loudness_lufs, abs=0.05)
    assert heard.peak_dbtp == pytest.approx(asset.peak_dbtp, abs=0.1)


def test_the_same_source_gives_the_same_asset_however_many_bring_it(programme, store):
    with ThreadPoolExecutor(3) as people:
        assets = set(people.map(lambda _: ingest(programme, store), range(3)))
    assert len(assets) == 1
    assert len(list(store.digests())) == 1
    assert len([path for path in store.root.rglob("*") if path.is_file()]) == 2
