"""Files on their way in: written once, beside the audio, and gone when the request is answered."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import IO

from flask import Request
from typing_extensions import override
from werkzeug.datastructures import FileStorage

MAX_UPLOAD_BYTES = 500_000_000
MAX_FORM_BYTES = 2_000_000
_PREFIX = "upload-"
SHEET_ENDPOINTS = frozenset({"units.examine_clusters", "api.import_clusters"})
UPLOADING_ENDPOINTS = frozenset({"api.add_asset"})


def request_class(folder: Path) -> type[Request]:
    """Make the kind of requests whose files are kept in ``folder`` while they are handled."""

    class Incoming(Request):
        """A request that may bring an hour of sound: never through memory, nor a small /tmp."""

        @override
        def _get_file_stream(
            self,
            total_content_length: int | None,
            content_type: str | None,
            filename: str | None = None,
            content_length: int | None = None,
        ) -> IO[bytes]:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return tempfile.NamedTemporaryFile(dir=folder, prefix=_PREFIX)

    return Incoming


def sweep(folder: Path, *, before: datetime) -> int:
    """Remove files that began to come in ``before``: a kill left them; say how many."""
    old = [path for path in folder.glob(f"{_PREFIX}*") if path.stat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def on_disk(file: FileStorage) -> Path:
    """Tell where an uploaded file is, all its bytes written."""
    file.stream.flush()
    return Path(file.stream.name)
