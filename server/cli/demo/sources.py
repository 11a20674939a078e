"""Write down what each order should sound like, out of the very files that nodes are given."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from audio_library.decode import Samples, read_samples, write_wav
from protocol.content import layout
from protocol.messages import AssetRef, Content
from server.cli.demo.client import Person
from server.cli.demo.matching import RATE_HZ


class SourceWriter:
    """Writer of ``source/*.wav`` in a run's folder."""

    def __init__(self, out: Path) -> None:
        self._folder = out / "source"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._refs: dict[str, AssetRef] = {}
        self._samples: dict[str, Samples] = {}

    def write(
        self, person: Person, name: str, items: Sequence[str], opening: str | None = None
    ) -> str:
        """Write one order's sound, its files laid out as the protocol says; the file's name."""
        first = self._fetched(person, opening) if opening else None
        content = Content(items=tuple(self._fetched(person, one) for one in items), opening=first)
        placed = [
            (round(place.offset_s * RATE_HZ), self._samples[place.asset.digest])
            for place in layout(content)
        ]
        whole = np.zeros(max(at + len(samples) for at, samples in placed), dtype=np.float32)
        for at, samples in placed:
            whole[at : at + len(samples)] = samples
        return self._written(name, whole)

    def write_spoken(
        self, person: Person, name: str, words: Samples, opening: str | None = None
    ) -> str:
        """Write what somebody spoke live, right behind the opening; the file's name."""
        before = [self._samples[self._fetched(person, opening).digest]] if opening else []
        return self._written(name, np.concatenate([*before, words]))

    def length_s(self, digest: str) -> float:
        """Tell how long a file is that was fetched before."""
        return self._refs[digest].duration_s

    def _written(self, name: str, samples: Samples) -> str:
        write_wav(self._folder / f"{name}.wav", samples)
        return f"source/{name}.wav"

    def _fetched(self, person: Person, digest: str) -> AssetRef:
        if digest not in self._refs:
            raw = person.asset(digest)
            with NamedTemporaryFile(suffix=".opus") as file:
                file.write(raw)
                file.flush()  # the decoder opens it by its name
                self._samples[digest] = read_samples(Path(file.name))
            length_s = len(self._samples[digest]) / RATE_HZ
            self._refs[digest] = AssetRef(digest=digest, duration_s=length_s, size_bytes=len(raw))
        return self._refs[digest]
