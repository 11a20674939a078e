import numpy as np
import pytest

from edge.player.decoder import decode
from tests.factories.sounds import RATE_HZ, encode, lag_s, noise, rms

pytestmark = pytest.mark.sound

SOURCE = noise(12.0)


def samples_of(path, start=0):
    troubles = []
    chunks = list(decode(path, start, troubles.append))
    return (np.concatenate(chunks) if chunks else np.zeros(0, np.float32)), troubles


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("decoding")


@pytest.fixture(scope="module")
def opus(folder):
    return encode(folder / "source.opus", SOURCE)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.opus", "libopus"),
        ("a.mp3", "libmp3lame"),
        ("a.wav", "pcm_s16le"),
        ("a.flac", "flac"),
        ("a.m4a", "aac"),
        ("a.webm", "libopus"),
    ],
)
@pytest.mark.parametrize("start_s", [0.0, 3.217, 7.654])
def test_a_file_is_heard_from_exactly_the_sample_asked_for(folder, name, codec, start_s):
    path = folder / name
    if not path.exists():
        encode(path, SOURCE, codec=codec)
    start = round(start_s * RATE_HZ)
    samples, troubles = samples_of(path, start)
    lag = lag_s(SOURCE, samples[:RATE_HZ])
    # Matroska stamps in whole milliseconds.
    within_s = 0.0011 if name == "a.webm" else 0.5 / RATE_HZ
    assert lag == pytest.approx(start / RATE_HZ, abs=within_s)
    assert len(samples) == pytest.approx(len(SOURCE) - start, abs=1200)
    assert troubles == []


def test_other_rates_become_48_khz_in_place(folder):
    path = encode(folder / "slow.flac", SOURCE, codec="flac", rate_hz=16_000)
    samples, troubles = samples_of(path, 6 * RATE_HZ)
    assert lag_s(SOURCE, samples[:RATE_HZ]) == pytest.approx(6.0, abs=1 / RATE_HZ)
    assert troubles == []


def test_two_equal_channels_are_as_loud_as_one(folder):
    """libswresample's own down-mix would come out 3 dB louder."""
    path = encode(folder / "stereo.flac", np.stack([SOURCE, SOURCE]), codec="flac")
    samples, _ = samples_of(path)
    assert rms(samples) == pytest.approx(rms(SOURCE), rel=0.01)


def flipped(path, into, *, at_byte, count=1):
    """A copy with some bytes turned over."""
    data = bytearray(path.read_bytes())
    for k in range(count):
        data[at_byte + k] ^= 0xFF
    into.write_bytes(data)
    return into


def test_a_flipped_byte_costs_a_moment_and_what_follows_stays_in_place(folder, opus):
    size = opus.stat().st_size
    samples, troubles = samples_of(flipped(opus, folder / "flip.opus", at_byte=size // 2))
    assert len(samples) == pytest.approx(len(SOURCE), abs=1200)
    tail = samples[9 * RATE_HZ : 10 * RATE_HZ]
    assert lag_s(SOURCE, tail) == pytest.approx(9.0, abs=1 / RATE_HZ)
    lost = sum(rms(part) < 0.01 for part in np.array_split(samples, 1200)) / 100
    assert 0.05 < lost < 1.5
    assert troubles


def test_damage_in_the_first_page_does_not_shift_the_rest(folder, opus):
    # The first audio page follows the two header pages.
    data, third = opus.read_bytes(), 0
    for _ in range(2):
        third = data.index(b"OggS", third + 4)
    samples, troubles = samples_of(flipped(opus, folder / "first.opus", at_byte=third + 200))
    assert troubles == ["0.10 s of sound are lost"]
    tail = samples[5 * RATE_HZ : 6 * RATE_HZ]
    assert lag_s(SOURCE, tail) == pytest.approx(5.0, abs=1 / RATE_HZ)


@pytest.mark.parametrize("start", [0, 7 * RATE_HZ])
def test_an_opus_file_that_does_not_count_from_zero_begins_at_its_first_sample(folder, start):
    """Some writers count the 312 samples that libopus throws away at the start."""
    path = encode(folder / f"counted-{start}.opus", SOURCE, first_stamp=312)
    samples, troubles = samples_of(path, start)
    assert lag_s(SOURCE, samples[:RATE_HZ]) == pytest.approx(start / RATE_HZ, abs=0.5 / RATE_HZ)
    assert troubles == []


def test_a_cut_file_gives_what_is_left_of_it(folder, opus):
    cut = folder / "cut.opus"
    cut.write_bytes(opus.read_bytes()[: opus.stat().st_size // 2])
    samples, _ = samples_of(cut)
    assert 4.5 < len(samples) / RATE_HZ < 7.5


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", bytes(range(256)) * 40, b"#EXTM3U\nother.opus\n"]
)
def test_what_is_no_audio_gives_nothing_and_says_why(folder, content):
    bad = folder / "bad.mp3"
    bad.write_bytes(content)
    samples, troubles = samples_of(bad)
    assert len(samples) == 0
    assert troubles
    assert str(folder) not in troubles[0]


def test_a_missing_file_is_named_as_missing(folder):
    _, troubles = samples_of(folder / "never.opus")
    assert troubles == ["No such file or directory"]


def test_a_header_that_claims_2_ghz_is_refused(folder):
    path = encode(folder / "fast.wav", noise(0.2), codec="pcm_s16le")
    data = bytearray(path.read_bytes())
    data[24:28] = (2_000_000_000).to_bytes(4, "little")
    path.write_bytes(data)
    samples, troubles = samples_of(path)
    assert len(samples) == 0
    assert "2000000000 Hz" in troubles[0]


def test_a_start_beyond_the_end_gives_nothing(opus):
    samples, _ = samples_of(opus, 60 * RATE_HZ)
    assert len(samples) == 0
