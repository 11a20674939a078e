"""Speech from text: the port, implemented by ``tts.espeak`` and ``tts.piper``."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from audio_library.errors import SpeechError

DEFAULT_LANGUAGE = "vi"
SLOWEST = 0.5
FASTEST = 2.0
LONGEST_PAUSE_S = 3.0

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,16}){0,3}")
_NOT_SPOKEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]+")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?…])\s+(?=\S)|\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a text is to be spoken.

    Attributes:
        language: A language tag in lower case, such as ``vi`` or ``vi-vn-x-south``.
        pace: 1 as the voice speaks by itself, 2 twice as fast.
        pause_s: Silence between two sentences; a voice may make its own no shorter.
    """

    language: str = DEFAULT_LANGUAGE
    pace: float = 1.0
    pause_s: float = 0.6


PLAIN = Manner()


class Synthesiser(Protocol):
    """Something that can speak."""

    @property
    def name(self) -> str:
        """What speaks, down to the voice: another name may say the same text otherwise."""
        ...

    def speak(self, text: str, wav: Path, manner: Manner = PLAIN) -> Path:
        """Write ``text``, spoken, as a WAV file and return its path.

        Args:
            text: What to say, in plain words.
            wav: The file to write.
            manner: How to say it.

        Raises:
            SpeechError: Nothing to say, no such voice, or the engine failed; no file is left.
        """
        ...


def sentences(text: str) -> tuple[str, ...]:
    """Part a text into sentences and lines, without what an engine would not read but obey.

    Raises:
        SpeechError: No word is left.
    """
    # eSpeak reads [[...]] as phonemes.
    plain = _NOT_SPOKEN.sub(" ", text.replace("[[", " ").replace("]]", " ")).strip()
    spoken = [part for part in _SENTENCE_ENDS.split(plain) if _LETTER_OR_DIGIT.search(part)]
    if not spoken:
        raise SpeechError("the text has no words")
    return tuple(part.strip() for part in spoken)


def checked(manner: Manner) -> Manner:
    """Return the manner when an engine can be asked for it.

    Raises:
        SpeechError: Its language is no tag, or a number is out of bounds.
    """
    if not _LANGUAGE.fullmatch(manner.language):
        raise SpeechError(f"no such language: {manner.language[:40]!r}")
    if not (SLOWEST <= manner.pace <= FASTEST and 0 <= manner.pause_s <= LONGEST_PAUSE_S):
        raise SpeechError(f"no such manner: pace {manner.pace}, pause {manner.pause_s} s")
    return manner
