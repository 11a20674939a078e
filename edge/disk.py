"""Files that are whole or not there, whatever happens to the power."""

import os
from pathlib import Path


def write_whole(path: Path, body: bytes) -> None:
    """Write a file under its name at once, and see it onto the disk.

    Raises:
        OSError: The disk is full, read-only or gone; what was there before is still there.
    """
    draft = path.with_name(f".{path.name}.new")
    with draft.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """See the names of a folder onto the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
