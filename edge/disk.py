"""Files that are whole or not there, whatever happens to the power."""

import os
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

T = TypeVar("T")

_log = structlog.get_logger()


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


def remember(path: Path, value: object) -> None:
    """Write what is good to have in the next life; a disk that takes nothing costs no more."""
    try:
        write_whole(path, msgspec.json.encode(value))
    except OSError as error:
        _log.warning("not_remembered", file=path.name, error=str(error))


def remembered(path: Path, kind: type[T]) -> T | None:
    """Read what an earlier life wrote; None where there is nothing, or nothing readable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.warning("memory_unreadable", file=path.name, error=str(error))
        return None
