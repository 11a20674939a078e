"""What an engine is given to say."""

import pytest

from audio_library.errors import SpeechError
from audio_library.tts import checked_language, speakable


@pytest.mark.parametrize("text", ["", "   ", "...", "—?!", "[[ ]]", "\x00\n"])
def test_a_text_without_a_word_is_refused(text):
    with pytest.raises(SpeechError):
        speakable(text)


def test_phoneme_marks_and_control_characters_are_not_handed_on():
    assert speakable("Xin [[h@'l]]\x1b chào\n") == "Xin  h@'l   chào"


@pytest.mark.parametrize("tag", ["vi", "en", "vi-vn-x-south", "hmn"])
def test_a_language_tag_names_a_voice(tag):
    assert checked_language(tag) == tag


@pytest.mark.parametrize("tag", ["", "VI", "../vi", "-w/tmp/x", "vi --x", "vi\n"])
def test_what_is_no_language_tag_never_reaches_an_engine(tag):
    with pytest.raises(SpeechError):
        checked_language(tag)
