"""A 16-bit mono WAV file in which every sample has a wall instant, and which survives kill -9.

The pair ``x.wav`` and ``x.json`` is one recording: the JSON names the instant of sample 0.
"""

import json
import os
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, final

from edge.errors import OutputError
from edge.player.output import RATE_HZ, Samples

_HEADER_BYTES = 44
# RIFF counts bytes in 32 bits: about 12.4 hours. A longer recording goes on in a new file.
MOST_SAMPLES = 12 * 3600 * RATE_HZ


@dataclass(frozen=True, slots=True)
class _Origin:
    """The wall instant of a file's sample 0."""

    start_s: float


@final
class WaveFile:
    """One recording on disk, continued when it is there already.

    Samples are written at their wall position and may overwrite; what nobody wrote is zeros.
    """

    def __init__(self, path: Path, *, now_s: float) -> None:
        """Open or begin the recording.

        Args:
            path: The WAV file; the JSON lies next to it.
            now_s: Epoch seconds; sample 0 of a recording that begins now.

        Raises:
            OutputError: The directory cannot be written.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            origin = _origin_of(path)
            if origin is None or not 0 <= now_s - origin.start_s < MOST_SAMPLES / RATE_HZ:
                _set_aside(path, now_s)
                origin = _begin(path, now_s)
            self._file: BinaryIO = _open_for_update(path)
        except OSError as error:
            raise OutputError(f"record:{path}", str(error)) from error
        self.start_s = origin.start_s
        self._samples = max(0, (os.fstat(self._file.fileno()).st_size - _HEADER_BYTES) // 2)
        self.refresh()

    def write(self, index: int, block: Samples) -> None:
        """Put a block at a sample index; silence beyond the end costs no disk.

        Raises:
            OutputError: The disk is full or gone.
        """
        if index < 0:
            block, index = block[-index:], 0
        if index >= self._samples and not block.any():
            self._samples = index + len(block)
            return
        try:
            os.pwrite(self._file.fileno(), block.astype("<i2").tobytes(), _HEADER_BYTES + 2 * index)
        except OSError as error:
            raise OutputError(f"record:{self.path}", str(error)) from error
        self._samples = max(self._samples, index + len(block))

    def refresh(self) -> None:
        """Make the file on disk as long as the recording, then let its header say so.

        Raises:
            OutputError: The disk is full or gone.
        """
        try:
            size = _HEADER_BYTES + 2 * self._samples
            os.ftruncate(self._file.fileno(), size)
            os.pwrite(self._file.fileno(), _header(2 * self._samples), 0)
        except OSError as error:
            raise OutputError(f"record:{self.path}", str(error)) from error

    def close(self) -> None:
        """Write the last header and let the file go; closing twice is harmless."""
        if not self._file.closed:
            self.refresh()
            self._file.close()


def _origin_of(path: Path) -> _Origin | None:
    """Read where an existing recording begins; None where there is none that can be trusted."""
    try:
        about = json.loads(path.with_suffix(".json").read_text("utf-8"))
        start = datetime.fromisoformat(about["start"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    if start.tzinfo is None or about.get("sample_rate") != RATE_HZ:
        return None
    return _Origin(start.timestamp())


def _set_aside(path: Path, now_s: float) -> None:
    """Keep what cannot be continued, under a name that says when it was given up."""
    stamp = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%S%f")
    for old in (path, path.with_suffix(".json")):
        if old.exists():
            old.rename(old.with_stem(f"{path.stem}-until-{stamp}"))


def _begin(path: Path, now_s: float) -> _Origin:
    """Name the instant of sample 0 before there is a sample, so that no file lacks it."""
    # ISO text carries microseconds: the origin is rounded to what the text can say.
    start = datetime.fromtimestamp(now_s, UTC)
    about = {"start": start.isoformat(timespec="microseconds"), "sample_rate": RATE_HZ}
    partial = path.with_suffix(".json.part")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(about, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path.with_suffix(".json"))
    return _Origin(start.timestamp())


def _open_for_update(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    return os.fdopen(descriptor, "r+b", buffering=0)


def _header(data_bytes: int) -> bytes:
    # "RIFF" size "WAVE", then "fmt " with PCM, mono, rate, bytes a second, bytes a sample, bits.
    return struct.pack(
        "<4sI8sIHHIIHH4sI",
        b"RIFF",
        data_bytes + _HEADER_BYTES - 8,
        b"WAVEfmt ",
        16,
        1,
        1,
        RATE_HZ,
        2 * RATE_HZ,
        2,
        16,
        b"data",
        data_bytes,
    )
