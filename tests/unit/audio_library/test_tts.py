"""What an engine is given to say."""

import pytest

from audio_library.errors import SpeechError
from audio_library.tts import Manner, checked, sentences


@pytest.mark.parametrize("text", ["", "   ", "...", "—?!", "[[ ]]", "\x00\n"])
def test_a_text_without_a_word_is_refused(text):
    with pytest.raises(SpeechError):
        sentences(text)


def test_phoneme_marks_and_control_characters_are_not_handed_on():
    assert sentences("Xin [[h@'l]]\x1b chào\n") == ("Xin  h@'l   chào",)


def test_sentences_and_lines_are_parted_and_numbers_are_not():
    text = "Nước lên 3.5 mét. Bà con đi ngay!\nKhông chờ… Hết ? * *"
    assert sentences(text) == ("Nước lên 3.5 mét.", "Bà con đi ngay!", "Không chờ…", "Hết ?")


@pytest.mark.parametrize("tag", ["vi", "en", "vi-vn-x-south", "hmn"])
def test_a_language_tag_names_a_voice(tag):
    assert checked(Manner(tag)).language == tag


@pytest.mark.parametrize("tag", ["", "VI", "../vi", "-w/tmp/x", "vi --x", "vi\n"])
def test_what_is_no_language_tag_never_reaches_an_engine(tag):
    with pytest.raises(SpeechError):
        checked(Manner(tag))


@pytest.mark.parametrize(
    "manner", [Manner(pace=0.4), Manner(pace=2.1), Manner(pause_s=-1), Manner(pause_s=3.1)]
)
def test_paces_and_pauses_have_bounds(manner):
    with pytest.raises(SpeechError):
        checked(manner)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_no_number_at_all_is_out_of_bounds(number):
    with pytest.raises(SpeechError):
        checked(Manner(pace=number))
