"""Speak short fixed texts into files of the store."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from audio_library.assets import Asset
from audio_library.ingest import ingest
from audio_library.store import Store
from audio_library.tts import Synthesiser


def spoken(texts: Mapping[str, str], *, engine: Synthesiser, store: Store) -> dict[str, Asset]:
    """Speak each text and keep it; the name of each is kept with its file.

    Raises:
        SpeechError: The engine is not there, or failed.
        RefusedAudioError: What it said cannot be prepared.
    """
    with TemporaryDirectory() as folder:
        return {
            name: ingest(engine.speak(text, Path(folder) / f"{name}.wav"), store)
            for name, text in texts.items()
        }
