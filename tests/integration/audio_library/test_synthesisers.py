"""What every engine must do: one contract for the program and for the library."""

import shutil
import wave
from pathlib import Path

import pytest

from audio_library.errors import SpeechError
from audio_library.loudness import measure
from audio_library.tts.espeak import EspeakLibrary, EspeakProgram, installed_synthesiser

SENTENCE = "Đây là Đài truyền thanh xã Tân Hòa."


@pytest.fixture(params=["program", "library"])
def synthesiser(request):
    if request.param == "library":
        return EspeakLibrary()
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("the espeak-ng program is not installed")
    return EspeakProgram(Path(program))


def length_s(wav):
    with wave.open(str(wav)) as file:
        return file.getnframes() / file.getframerate()


def test_a_sentence_is_spoken_at_a_human_pace(synthesiser, tmp_path):
    wav = synthesiser.speak(SENTENCE, tmp_path / "a.wav")
    assert wav == tmp_path / "a.wav"
    assert 1.5 < length_s(wav) < 4.0
    assert -30 < measure(wav).integrated_lufs < -10


def test_more_words_take_longer(synthesiser, tmp_path):
    short = length_s(synthesiser.speak(SENTENCE, tmp_path / "a.wav"))
    long = length_s(synthesiser.speak(" ".join([SENTENCE] * 3), tmp_path / "b.wav"))
    assert 2.5 * short < long < 4 * short


def test_languages_sound_different(synthesiser, tmp_path):
    north = synthesiser.speak(SENTENCE, tmp_path / "north.wav", language="vi")
    south = synthesiser.speak(SENTENCE, tmp_path / "south.wav", language="vi-vn-x-south")
    english = synthesiser.speak(SENTENCE, tmp_path / "english.wav", language="en")
    assert len({wav.read_bytes() for wav in (north, south, english)}) == 3


def test_a_text_that_begins_like_an_option_is_read_aloud(synthesiser, tmp_path):
    assert length_s(synthesiser.speak("--version hai ba", tmp_path / "a.wav")) > 0.8


def test_a_long_text_is_read_to_its_end(synthesiser, tmp_path):
    assert length_s(synthesiser.speak(f"{SENTENCE} " * 100, tmp_path / "a.wav")) > 150


@pytest.mark.parametrize(
    ("text", "language"), [("", "vi"), (" ... ", "vi"), (SENTENCE, "xx"), (SENTENCE, "../vi")]
)
def test_what_cannot_be_spoken_leaves_no_file(synthesiser, text, language, tmp_path):
    wav = tmp_path / "a.wav"
    with pytest.raises(SpeechError):
        synthesiser.speak(text, wav, language=language)
    assert not wav.exists()


def test_a_place_that_cannot_be_written_is_an_error(synthesiser, tmp_path):
    with pytest.raises(SpeechError):
        synthesiser.speak(SENTENCE, tmp_path / "missing" / "a.wav")


def test_without_the_program_the_library_speaks(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed_synthesiser() == EspeakLibrary()
