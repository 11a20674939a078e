"""Files named by their content: once a name exists, its bytes are whole and never change."""

import contextlib
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audio_library.errors import MissingAssetError, StoreError
from protocol.ids import AssetDigest, is_digest

SUFFIX = ".opus"
_INCOMING = ".incoming-"


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of assets, ``ab/abcdef….opus``; several processes may use it at once.

    Attributes:
        root: The folder; made when the first file is put.
    """

    root: Path

    def put(self, source: Path) -> AssetDigest:
        """Copy a file in, and return its name.

        What is there already is left alone, unless the disk has damaged it meanwhile; it is as
        young again as if it were new.

        Raises:
            StoreError: The disk did not take it; nothing is left behind.
        """
        try:
            digest = digest_of(source)
            if self.path(digest).exists() and self.verify(digest):
                self.path(digest).touch()
            else:
                with source.open("rb") as file:
                    write_whole(self.path(digest), file)
        except OSError as error:
            raise StoreError(str(error)) from error
        return digest

    def path(self, digest: AssetDigest) -> Path:
        """Tell where a file of this name is, or would be."""
        if not is_digest(digest):
            raise MissingAssetError(digest)
        return self.root / digest[:2] / f"{digest}{SUFFIX}"

    def open(self, digest: AssetDigest) -> io.BufferedReader:
        """Open a file for reading; the caller closes it.

        Raises:
            MissingAssetError: There is none of this name.
        """
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError as error:
            raise MissingAssetError(digest) from error

    def verify(self, digest: AssetDigest) -> bool:
        """Say whether the bytes on disk still bear their name."""
        with self.open(digest) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest

    def digests(self) -> Iterator[AssetDigest]:
        """Yield the name of every file, in order."""
        for path in sorted(self.root.glob(f"??/*{SUFFIX}")):
            if is_digest(path.stem):
                yield AssetDigest(path.stem)

    def untouched(self, *, before: datetime, but: Collection[str]) -> list[AssetDigest]:
        """List what was last put in ``before``, except what is named in ``but``."""
        return [
            digest
            for digest in self.digests()
            if digest not in but and self.path(digest).stat().st_mtime < before.timestamp()
        ]

    def sweep(self, *, before: datetime) -> int:
        """Remove what was begun ``before`` and never finished, as a kill leaves it; say how much.

        Raises:
            StoreError: The disk does not let it go.
        """
        left = [*self.root.glob(f"{_INCOMING}*"), *self.root.glob(f"??/{_INCOMING}*")]
        try:
            return sum(_removed(path, before.timestamp()) for path in left)
        except OSError as error:
            raise StoreError(str(error)) from error

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        """Make a folder on the store's disk for work in progress; gone when left."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryDirectory(prefix=_INCOMING, dir=self.root)
        except OSError as error:
            raise StoreError(str(error)) from error


def _removed(path: Path, before_s: float) -> bool:
    with contextlib.suppress(FileNotFoundError):  # it was just finished, or swept by another
        if path.stat().st_mtime < before_s:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            return True
    return False


def digest_of(path: Path) -> AssetDigest:
    """Name a file by its SHA-256."""
    with path.open("rb") as file:
        return AssetDigest(hashlib.file_digest(file, "sha256").hexdigest())


def write_whole(final: Path, content: io.BufferedIOBase) -> None:
    """Make a file appear under its name with all its bytes, or not at all.

    Two writers of the same name do not disturb each other: the later rename replaces equal
    bytes. Both file and folder are synced, so that a power cut cannot leave a name with
    nothing behind it.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_INCOMING, dir=final.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
