"""Which engines an installation has, the best first; the last one always speaks."""

from pathlib import Path

from audio_library.tts import Synthesiser
from audio_library.tts.espeak import installed_synthesiser
from audio_library.tts.piper import PiperProgram


def engines(piper: Path | None = None, voice: Path | None = None) -> tuple[Synthesiser, ...]:
    """List the engines: Piper where its program and a voice are named, then eSpeak NG."""
    fallback = installed_synthesiser()
    return (PiperProgram(piper, voice), fallback) if piper and voice else (fallback,)
