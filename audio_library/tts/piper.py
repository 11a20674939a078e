"""Piper: neural voices, for whoever has the program and a voice's files.

Both are named by the installation and brought by it. A voice is a ``.onnx`` file with its
``.onnx.json`` beside it, and has one language.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from audio_library.child import run_module
from audio_library.errors import SpeechError
from audio_library.tts import DEFAULT_LANGUAGE, PLAIN, Manner, checked, sentences
from audio_library.tts.confined import TIMEOUT_S, spoken


@dataclass(frozen=True, slots=True)
class PiperProgram:
    """Speaks with the ``piper`` program, or one that takes the same options.

    Attributes:
        program: Path of the program.
        voice: Path of the voice's ``.onnx`` file.
        language: First part of the tags that this voice speaks.
    """

    program: Path
    voice: Path
    language: str = DEFAULT_LANGUAGE

    @property
    def name(self) -> str:
        """What speaks, with the voice."""
        return f"piper {self.voice.stem}"

    def speak(self, text: str, wav: Path, manner: Manner = PLAIN) -> Path:
        """Write ``text``, spoken, as a WAV file and return its path."""
        if checked(manner).language.split("-")[0] != self.language:
            raise SpeechError(f"{self.name} does not speak {manner.language}")
        # It takes a line for a text of its own, and keeps the sound of the last one only.
        line = " ".join(sentences(text)) + "\n"
        command = [str(self.program), "--model", str(self.voice)]
        command += ["--output_file", str(wav.resolve())]
        command += ["--length_scale", f"{1 / manner.pace:.3f}"]
        command += ["--sentence_silence", f"{manner.pause_s:.2f}"]
        try:
            done = run_module(
                "audio_library.tts.confined", command, stdin=line.encode(), timeout_s=TIMEOUT_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            wav.unlink(missing_ok=True)
            raise SpeechError(str(error)) from error
        return spoken(wav, done)
