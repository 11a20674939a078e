"""What every engine must do: one contract for eSpeak's program, its library, and a drop-in."""

import shutil
import wave
from pathlib import Path

import pytest

from audio_library.errors import SpeechError
from audio_library.loudness import measure
from audio_library.tts import Manner
from audio_library.tts.engines import engines
from audio_library.tts.espeak import EspeakLibrary, EspeakProgram, installed_synthesiser
from audio_library.tts.piper import PiperProgram
from tests.factories.voices import a_piper

SENTENCE = "Đây là Đài truyền thanh xã Tân Hòa."


def espeak_program():
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("the espeak-ng program is not installed")
    return EspeakProgram(Path(program))


@pytest.fixture(params=["program", "library", "drop-in"])
def synthesiser(request, tmp_path):
    match request.param:
        case "library":
            return EspeakLibrary()
        case "drop-in":
            return PiperProgram(*a_piper(tmp_path))
        case _:
            return espeak_program()


@pytest.fixture(params=["program", "library"])
def espeak(request):
    return EspeakLibrary() if request.param == "library" else espeak_program()


def length_s(wav):
    with wave.open(str(wav)) as file:
        return file.getnframes() / file.getframerate()


def test_a_sentence_is_spoken_at_a_human_pace(synthesiser, tmp_path):
    wav = synthesiser.speak(SENTENCE, tmp_path / "a.wav")
    assert wav == tmp_path / "a.wav"
    assert 1.5 < length_s(wav) < 4.0
    assert -30 < measure(wav).integrated_lufs < -10


@pytest.mark.slow
def test_more_words_take_longer(synthesiser, tmp_path):
    short = length_s(synthesiser.speak(SENTENCE, tmp_path / "a.wav"))
    long = length_s(synthesiser.speak(" ".join([SENTENCE] * 3), tmp_path / "b.wav"))
    assert 2.5 * short < long < 4.5 * short


def test_the_same_text_twice_gives_the_same_bytes(synthesiser, tmp_path):
    one, other = (synthesiser.speak(SENTENCE, tmp_path / name) for name in ("a.wav", "b.wav"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow
def test_a_faster_pace_is_shorter_and_a_slower_one_longer(synthesiser, tmp_path):
    lengths = [
        length_s(synthesiser.speak(SENTENCE, tmp_path / "a.wav", Manner(pace=pace)))
        for pace in (0.7, 1.0, 1.6)
    ]
    assert lengths[0] > 1.2 * lengths[1] > 1.2 * 1.2 * lengths[2]


@pytest.mark.slow
def test_sentences_and_lines_are_parted_by_a_pause(synthesiser, tmp_path):
    text = f"{SENTENCE} {SENTENCE}\n{SENTENCE}"
    short, long = (
        length_s(synthesiser.speak(text, tmp_path / "a.wav", Manner(pause_s=pause_s)))
        for pause_s in (0.0, 1.0)
    )
    assert 1.0 < long - short < 3.3


def test_a_text_that_begins_like_an_option_is_read_aloud(synthesiser, tmp_path):
    assert length_s(synthesiser.speak("--version hai ba", tmp_path / "a.wav")) > 0.8


def test_marks_of_other_languages_are_words_and_no_orders(synthesiser, tmp_path):
    text = 'Nhỏ hơn <break time="9s"/> & <audio src="/etc/passwd"/> hết'
    assert length_s(synthesiser.speak(text, tmp_path / "a.wav")) < 9


@pytest.mark.slow
def test_a_long_text_is_read_to_its_end(synthesiser, tmp_path):
    assert length_s(synthesiser.speak(f"{SENTENCE} " * 55, tmp_path / "a.wav")) > 80


@pytest.mark.parametrize(
    ("text", "manner"),
    [
        ("", Manner()),
        (" ... ", Manner()),
        (SENTENCE, Manner("xx")),
        (SENTENCE, Manner("../vi")),
        (SENTENCE, Manner(pace=9)),
    ],
)
def test_what_cannot_be_spoken_leaves_no_file(synthesiser, text, manner, tmp_path):
    wav = tmp_path / "a.wav"
    with pytest.raises(SpeechError):
        synthesiser.speak(text, wav, manner)
    assert not wav.exists()


def test_a_place_that_cannot_be_written_is_an_error(synthesiser, tmp_path):
    with pytest.raises(SpeechError):
        synthesiser.speak(SENTENCE, tmp_path / "missing" / "a.wav")


def test_languages_sound_different(espeak, tmp_path):
    wavs = [
        espeak.speak(SENTENCE, tmp_path / f"{tag}.wav", Manner(tag))
        for tag in ("vi", "vi-vn-x-south", "en")
    ]
    assert len({wav.read_bytes() for wav in wavs}) == 3


def test_without_the_program_the_library_speaks(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed_synthesiser() == EspeakLibrary()


def test_a_drop_in_that_is_named_comes_first_and_espeak_behind_it(tmp_path):
    program, voice = a_piper(tmp_path)
    assert engines(program, voice) == (PiperProgram(program, voice), installed_synthesiser())
    assert engines(program, None) == engines() == (installed_synthesiser(),)


def test_each_voice_has_a_name_of_its_own(tmp_path):
    program, voice = a_piper(tmp_path)
    other = voice.with_name("vi_VN-other-low.onnx")
    voices = [PiperProgram(program, voice), PiperProgram(program, other), *engines()]
    assert len({engine.name for engine in voices}) == len(voices)


def test_a_program_that_writes_without_end_is_ended(tmp_path):
    program = tmp_path / "piper"
    program.write_text('#!/bin/sh\nexec cat /dev/zero > "$4"\n')
    program.chmod(0o755)
    wav = tmp_path / "a.wav"
    with pytest.raises(SpeechError):
        PiperProgram(program, tmp_path / "voice.onnx").speak(SENTENCE, wav)
    assert not wav.exists()


def test_a_program_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SpeechError):
        PiperProgram(tmp_path / "none", tmp_path / "v.onnx").speak(SENTENCE, tmp_path / "a.wav")
