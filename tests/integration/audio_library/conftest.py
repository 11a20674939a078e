"""Real speech and music, and files of every kind made of them."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from audio_library.decode import read_samples, write_wav
from audio_library.music import melody
from audio_library.store import Store
from audio_library.transcode import ffmpeg_program
from audio_library.tts.espeak import installed_synthesiser

TEXT = "Kính mời bà con chú ý nghe bản tin sáng nay về thời tiết và lịch cấp nước."


@pytest.fixture(scope="session")
def speech(tmp_path_factory) -> Path:
    """Speech of about four seconds at the engine's own 22,050 Hz."""
    return installed_synthesiser().speak(TEXT, tmp_path_factory.mktemp("speech") / "speech.wav")


@pytest.fixture(scope="session")
def programme(speech, tmp_path_factory) -> Path:
    """Speech over music, 6 s, mono, 48 kHz."""
    sound = melody(11, 6.0) * np.float32(0.3)
    voice = read_samples(speech)[: len(sound)] * np.float32(0.6)
    sound[: len(voice)] += voice
    wav = tmp_path_factory.mktemp("programme") / "programme.wav"
    write_wav(wav, sound)
    return wav


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(scope="session")
def convert():
    """Make another file of one, by ffmpeg's arguments."""

    def convert(source: Path, out: Path, *arguments: str) -> Path:
        subprocess.run(
            [ffmpeg_program(), "-v", "error", "-y", "-i", source, *arguments, out],
            check=True,
            timeout=60,
        )
        return out

    return convert


@pytest.fixture(scope="session")
def pipe():
    """Make another file of one through a pipe, where ffmpeg cannot go back to fill in lengths."""

    def pipe(source: Path, out: Path, *arguments: str) -> Path:
        done = subprocess.run(
            [ffmpeg_program(), "-v", "error", "-i", source, *arguments, "-"],
            check=True,
            timeout=60,
            capture_output=True,
        )
        out.write_bytes(done.stdout)
        return out

    return pipe
