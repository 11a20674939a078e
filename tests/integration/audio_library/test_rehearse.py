"""A rehearsal's stream holds each part of each file where it belongs."""

import io
import os

import av
import msgspec
import numpy as np
import pytest

from audio_library.child import stream_module
from audio_library.parts import Part, Wanted
from tests.factories.sounds import RATE_HZ, encode, lag_s, noise, rms
from tests.factories.waiting import wait_until


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rehearse")
    sounds = {"one": noise(20, seed=1), "two": noise(3, seed=2)}
    return {name: (encode(folder / f"{name}.opus", sound), sound) for name, sound in sounds.items()}


def streamed(parts, length_s):
    wanted = Wanted(parts=tuple(parts), length_s=length_s)
    raw = b"".join(stream_module("audio_library.rehearse", stdin=msgspec.json.encode(wanted)))
    with av.open(io.BytesIO(raw)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


@pytest.mark.slow
def test_each_part_is_heard_in_its_place_from_its_own_place_in_the_file(files):
    (one, noise_one), (two, noise_two) = files["one"], files["two"]
    heard = streamed(
        [Part(str(one), 12.0, 2.0, 1.0), Part(str(two), 0.5, 1.5, 4.0, gain_db=-12.0)], 7.0
    )
    assert len(heard) / RATE_HZ == pytest.approx(7.0, abs=0.03)
    assert lag_s(noise_one, heard[RATE_HZ : 3 * RATE_HZ]) == pytest.approx(12.0, abs=0.002)
    assert lag_s(noise_two, heard[4 * RATE_HZ : 5 * RATE_HZ]) == pytest.approx(0.5, abs=0.002)
    loud = rms(heard[RATE_HZ : 3 * RATE_HZ])
    soft = rms(heard[4 * RATE_HZ : 5 * RATE_HZ])
    assert 20 * np.log10(soft / loud) == pytest.approx(-12.0, abs=1.0)
    for first, last in ((0.1, 0.9), (3.1, 3.9), (5.7, 6.9)):
        assert rms(heard[round(first * RATE_HZ) : round(last * RATE_HZ)]) < 0.001


@pytest.mark.slow
def test_a_file_that_is_missing_or_too_short_is_silence_and_what_follows_is_in_place(
    files, tmp_path
):
    two, noise_two = files["two"]
    gone = Part(str(tmp_path / "gone.opus"), 0.0, 1.0, 0.0)
    heard = streamed([gone, Part(str(two), 2.0, 2.0, 1.0), Part(str(two), 0.0, 1.0, 3.0)], 4.0)
    assert rms(heard[: round(0.9 * RATE_HZ)]) < 0.001
    assert rms(heard[round(2.1 * RATE_HZ) : round(2.9 * RATE_HZ)]) < 0.001
    assert lag_s(noise_two, heard[3 * RATE_HZ : 4 * RATE_HZ - 960]) == pytest.approx(0, abs=0.002)


@pytest.mark.slow
def test_who_stops_listening_stops_the_work(files):
    one, _ = files["one"]
    before = _children()
    endless = Wanted(parts=(Part(str(one), 0.0, 20.0, 0.0),), length_s=7200.0)
    listening = stream_module("audio_library.rehearse", stdin=msgspec.json.encode(endless))
    assert next(listening).startswith(b"OggS")
    assert _children() - before
    listening.close()
    wait_until(lambda: not _children() - before)


def _children() -> set[str]:
    with open(f"/proc/self/task/{os.getpid()}/children") as told:  # noqa: PTH123 - a file of the kernel
        return set(told.read().split())
