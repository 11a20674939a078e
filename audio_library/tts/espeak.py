"""eSpeak NG: Debian's program where it is installed, else the library a wheel brings.

The library keeps its state in globals and may bring its process down, so each text is spoken
in a process of its own (``tts.espeak_child``).
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from audio_library.child import last_words, run_module
from audio_library.errors import SpeechError
from audio_library.tts import DEFAULT_LANGUAGE, Synthesiser, checked_language, speakable

WORDS_PER_MINUTE = 150
"""Slower than eSpeak's 175: horns echo from the next hill."""

_TIMEOUT_S = 60.0
_HEADER_BYTES = 44


@dataclass(frozen=True, slots=True)
class EspeakProgram:
    """Speaks with the ``espeak-ng`` program.

    Attributes:
        program: Path of the program.
    """

    program: Path

    def speak(self, text: str, wav: Path, *, language: str = DEFAULT_LANGUAGE) -> Path:
        """Write ``text``, spoken, as a WAV file and return its path."""
        spoken = speakable(text)
        voice = checked_language(language)
        command = [str(self.program), "-v", voice, "-s", str(WORDS_PER_MINUTE)]
        try:
            done = subprocess.run(  # noqa: S603 - a list of arguments; the text goes to stdin
                [*command, "-w", str(wav.resolve()), "--stdin"],
                input=spoken.encode(),
                env={"LANG": "C.UTF-8"},
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            wav.unlink(missing_ok=True)
            raise SpeechError(str(error)) from error
        return _spoken(wav, done)


@dataclass(frozen=True, slots=True)
class EspeakLibrary:
    """Speaks with the library inside the ``espeakng-loader`` package."""

    def speak(self, text: str, wav: Path, *, language: str = DEFAULT_LANGUAGE) -> Path:
        """Write ``text``, spoken, as a WAV file and return its path."""
        spoken = speakable(text)
        voice = checked_language(language)
        try:
            done = run_module(
                "audio_library.tts.espeak_child",
                [str(wav.resolve()), voice, str(WORDS_PER_MINUTE)],
                stdin=spoken.encode(),
                timeout_s=_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            wav.unlink(missing_ok=True)
            raise SpeechError(str(error)) from error
        return _spoken(wav, done)


def installed_synthesiser() -> Synthesiser:
    """Choose the program where there is one, else the library."""
    program = shutil.which("espeak-ng")
    return EspeakProgram(Path(program)) if program else EspeakLibrary()


def _spoken(wav: Path, done: subprocess.CompletedProcess[bytes]) -> Path:
    made = wav.stat().st_size if wav.exists() else 0
    if done.returncode != 0 or made <= _HEADER_BYTES:
        wav.unlink(missing_ok=True)
        raise SpeechError(f"exit {done.returncode}: {last_words(done.stderr) or 'no sound'}")
    return wav
