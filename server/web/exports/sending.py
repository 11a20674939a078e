"""Tables as files to download."""

import tempfile
from collections.abc import Sequence
from typing import IO

from flask import send_file
from flask.typing import ResponseReturnValue

from server.http.context import here
from server.services.tables import Table, write_csv, write_workbook

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def sent_sheet(tables: Sequence[Table], kind: str, name: str) -> ResponseReturnValue:
    """Answer with tables as ``csv`` or ``xlsx``, under a name without its ending."""
    return send_file(
        _written(tables, kind),
        mimetype="text/csv" if kind == "csv" else _XLSX,
        as_attachment=True,
        download_name=f"{name}.{kind}",
    )


def _written(tables: Sequence[Table], kind: str) -> IO[bytes]:
    """Write tables into a file without a name, so that a slow reader holds no database."""
    folder = here().settings.upload_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - the answer closes it when it is sent
    if kind == "csv":
        write_csv(tables, file)
    else:
        write_workbook(tables, file, folder)
    file.seek(0)
    return file
