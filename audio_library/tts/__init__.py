"""Speech from text: the port, implemented by ``tts.espeak``."""

import re
from pathlib import Path
from typing import Protocol

from audio_library.errors import SpeechError

DEFAULT_LANGUAGE = "vi"

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,16}){0,3}")
_NOT_SPOKEN = re.compile(r"[\x00-\x1f\x7f]+")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


class Synthesiser(Protocol):
    """Something that can speak."""

    def speak(self, text: str, wav: Path, *, language: str = DEFAULT_LANGUAGE) -> Path:
        """Write ``text``, spoken, as a WAV file and return its path.

        Args:
            text: What to say, in plain words.
            wav: The file to write.
            language: A language tag in lower case, such as ``vi`` or ``vi-vn-x-south``.

        Raises:
            SpeechError: Nothing to say, no such voice, or the engine failed; no file is left.
        """
        ...


def speakable(text: str) -> str:
    """Take out of a text what an engine would not read but obey.

    Raises:
        SpeechError: No word is left.
    """
    # eSpeak reads [[...]] as phonemes.
    plain = _NOT_SPOKEN.sub(" ", text.replace("[[", " ").replace("]]", " ")).strip()
    if not _LETTER_OR_DIGIT.search(plain):
        raise SpeechError("the text has no words")
    return plain


def checked_language(language: str) -> str:
    """Return the tag when it may be the name of a voice.

    Raises:
        SpeechError: It is no language tag.
    """
    if not _LANGUAGE.fullmatch(language):
        raise SpeechError(f"no such language: {language[:40]!r}")
    return language
