"""Speak one text, written as SSML, with the eSpeak NG library and end.

``python -m audio_library.tts.espeak_child WAV VOICE WORDS_PER_MINUTE``, the text on stdin.
The numbers are those of eSpeak NG's ``speak_lib.h``.
"""

import ctypes
import sys
import wave
from pathlib import Path

import espeakng_loader

from audio_library.tts.confined import confine

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_SSML = 0x10
_POS_CHARACTER = 1
_RATE = 1
_OK = 0

_SynthCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def speak(text: bytes, wav: Path, voice: str, words_per_minute: int) -> None:
    """Write a text, spoken, as 16-bit mono WAV at the engine's own rate.

    Raises:
        RuntimeError: The engine refused a step; the message names it.
    """
    engine = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    rate_hz = engine.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _DONT_EXIT)
    if rate_hz <= 0:
        raise RuntimeError("espeak_Initialize")
    _check("voice", engine.espeak_SetVoiceByName(voice.encode()))
    _check("rate", engine.espeak_SetParameter(_RATE, words_per_minute, 0))
    with wave.open(str(wav), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)

        def take(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int) -> int:
            if samples and count > 0:
                out.writeframesraw(ctypes.string_at(samples, count * 2))
            return 0

        # Kept in a variable: the library calls it after this line.
        callback = _SynthCallback(take)
        engine.espeak_SetSynthCallback(callback)
        size = ctypes.c_size_t(len(text) + 1)
        _check(
            "synthesis",
            engine.espeak_Synth(text, size, 0, _POS_CHARACTER, 0, _CHARS_UTF8 | _SSML, None, None),
        )
        _check("end", engine.espeak_Synchronize())


def _check(step: str, code: int) -> None:
    if code != _OK:
        raise RuntimeError(f"{step}: error {code}")


def main(arguments: list[str]) -> None:
    """Speak what comes on stdin."""
    confine()
    wav, voice, words_per_minute = arguments
    speak(sys.stdin.buffer.read(), Path(wav), voice, int(words_per_minute))


if __name__ == "__main__":
    main(sys.argv[1:])
