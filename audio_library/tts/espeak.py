"""eSpeak NG: Debian's program where it is installed, else the library a wheel brings.

The library keeps its state in globals and may bring its process down, so each text is spoken
in a process of its own (``tts.espeak_child``).
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from audio_library.child import run_module
from audio_library.errors import SpeechError
from audio_library.tts import PLAIN, Manner, Synthesiser, checked, sentences
from audio_library.tts.confined import TIMEOUT_S, spoken

WORDS_PER_MINUTE = 150
"""Slower than eSpeak's 175: horns echo from the next hill."""


@dataclass(frozen=True, slots=True)
class EspeakProgram:
    """Speaks with the ``espeak-ng`` program.

    Attributes:
        program: Path of the program.
    """

    program: Path

    @property
    def name(self) -> str:
        """What speaks."""
        return "espeak-ng"

    def speak(self, text: str, wav: Path, manner: Manner = PLAIN) -> Path:
        """Write ``text``, spoken, as a WAV file and return its path."""
        marked = _marked(text, manner)
        options = ["-m", "-v", manner.language, "-s", str(_words_per_minute(manner))]
        command = [str(self.program), *options, "-w", str(wav.resolve()), "--stdin"]
        return _run("audio_library.tts.confined", command, wav, marked)


@dataclass(frozen=True, slots=True)
class EspeakLibrary:
    """Speaks with the library inside the ``espeakng-loader`` package."""

    @property
    def name(self) -> str:
        """What speaks."""
        return "espeak-ng-library"

    def speak(self, text: str, wav: Path, manner: Manner = PLAIN) -> Path:
        """Write ``text``, spoken, as a WAV file and return its path."""
        marked = _marked(text, manner)
        arguments = [str(wav.resolve()), manner.language, str(_words_per_minute(manner))]
        return _run("audio_library.tts.espeak_child", arguments, wav, marked)


def installed_synthesiser() -> Synthesiser:
    """Choose the program where there is one, else the library."""
    program = shutil.which("espeak-ng")
    return EspeakProgram(Path(program)) if program else EspeakLibrary()


def _run(module: str, arguments: list[str], wav: Path, marked: str) -> Path:
    try:
        done = run_module(module, arguments, stdin=marked.encode(), timeout_s=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        wav.unlink(missing_ok=True)
        raise SpeechError(str(error)) from error
    return spoken(wav, done)


def _marked(text: str, manner: Manner) -> str:
    """Write a text as SSML: nothing of it is taken for a mark, and sentences have their pause."""
    pause_ms = round(1000 * checked(manner).pause_s)
    pause = f'<break time="{pause_ms}ms"/>' if pause_ms else " "
    return f"<speak>{pause.join(escape(sentence) for sentence in sentences(text))}</speak>"


def _words_per_minute(manner: Manner) -> int:
    return round(WORDS_PER_MINUTE * manner.pace)
