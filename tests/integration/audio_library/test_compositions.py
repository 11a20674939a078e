"""Short pieces joined from parts."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import audio_library
from audio_library.assets import RATE_HZ
from audio_library.chime import opening_chime
from audio_library.decode import decode_to_wav, read_samples, write_wav
from audio_library.errors import CompositionError
from audio_library.ingest import ingest
from audio_library.loudness import measure
from audio_library.music import melody
from audio_library.transcode import compose


@pytest.fixture
def chime(tmp_path):
    write_wav(tmp_path / "chime.wav", opening_chime())
    return tmp_path / "chime.wav"


def test_parts_follow_each_other_with_their_silences(chime, speech, tmp_path):
    piece = compose([chime, speech, chime], [0.3, 0.5], tmp_path / "piece.wav")
    sound = read_samples(piece.path)
    spoken_s = len(read_samples(speech)) / RATE_HZ
    assert piece.starts_s == pytest.approx((0.0, 2.2, 2.7 + spoken_s), abs=1e-3)
    assert piece.duration_s == pytest.approx(4.6 + spoken_s, abs=1e-3)
    assert len(sound) == round(piece.duration_s * RATE_HZ)
    assert np.abs(sound[round(1.91 * RATE_HZ) : round(2.19 * RATE_HZ)]).max() == 0.0


def test_chime_and_speech_are_equally_loud(chime, speech, tmp_path):
    piece = compose([chime, speech], [0.0], tmp_path / "piece.wav")
    sound = read_samples(piece.path)
    at = round(piece.starts_s[1] * RATE_HZ)
    write_wav(tmp_path / "first.wav", sound[:at])
    write_wav(tmp_path / "second.wav", sound[at:])
    first, second = measure(tmp_path / "first.wav"), measure(tmp_path / "second.wav")
    assert first.integrated_lufs == pytest.approx(second.integrated_lufs, abs=0.2)
    assert max(first.peak_dbtp, second.peak_dbtp) <= -2.9


@pytest.mark.slow
def test_assets_can_be_parts_and_the_piece_an_asset(chime, speech, store, tmp_path):
    parts = [store.path(ingest(part, store).digest) for part in (chime, speech)]
    asset = ingest(compose(parts, [0.2], tmp_path / "piece.wav").path, store)
    spoken_s = len(read_samples(speech)) / RATE_HZ
    assert asset.duration_s == pytest.approx(1.9 + 0.2 + spoken_s, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["flac", "mp3"])
def test_other_formats_are_written_by_ffmpeg(suffix, chime, speech, tmp_path):
    plain = compose([chime, speech], [0.2], tmp_path / "piece.wav")
    other = compose([chime, speech], [0.2], tmp_path / f"piece.{suffix}")
    one, two = read_samples(plain.path), read_samples(other.path)
    assert len(one) == pytest.approx(len(two), abs=2400)
    size = min(len(one), len(two))
    assert np.corrcoef(one[:size], two[:size])[0, 1] > 0.98


@pytest.mark.slow
def test_without_an_ffmpeg_of_the_system_the_packaged_one_serves(chime, tmp_path):
    code = (
        "import sys; from pathlib import Path; from audio_library.transcode import *\n"
        "assert 'imageio_ffmpeg' in str(ffmpeg_program()), ffmpeg_program()\n"
        "compose([Path(sys.argv[1])], [], Path(sys.argv[2]))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            code,
            str(chime),
            str(tmp_path / "piece.mp3"),
        ],
        env={"PATH": str(tmp_path), "PYTHONPATH": str(Path(audio_library.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(read_samples(tmp_path / "piece.mp3")) > RATE_HZ


@pytest.mark.slow
def test_an_hour_is_not_composed(tmp_path):
    write_wav(tmp_path / "long.wav", np.tile(melody(1, 10.0), 31))
    with pytest.raises(CompositionError):
        compose([tmp_path / "long.wav"], [], tmp_path / "piece.wav")
    assert not (tmp_path / "piece.wav").exists()


@pytest.mark.parametrize(("parts", "gaps_s"), [(0, ()), (2, ()), (1, (0.1,))])
def test_there_is_one_gap_between_each_two_parts(parts, gaps_s, chime, tmp_path):
    with pytest.raises(CompositionError):
        compose([chime] * parts, gaps_s, tmp_path / "piece.wav")


def test_a_format_nobody_knows_is_refused(chime, tmp_path):
    with pytest.raises(CompositionError):
        compose([chime], [], tmp_path / "piece.xyz")


def test_decoding_to_wav_changes_no_sample(speech, store, tmp_path):
    asset = ingest(speech, store)
    decode_to_wav(store.path(asset.digest), tmp_path / "out.wav")
    whole, written = read_samples(store.path(asset.digest)), read_samples(tmp_path / "out.wav")
    assert len(whole) == len(written) == asset.frames
    assert np.abs(whole - written).max() <= 1 / 32768
