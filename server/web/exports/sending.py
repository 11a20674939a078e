"""Tables as files to download."""

import tempfile
from typing import IO

from flask import send_file
from flask.typing import ResponseReturnValue

from server.http.context import here
from server.services.tables import Table, write_csv, write_workbook

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def sent_sheet(table: Table, kind: str, name: str) -> ResponseReturnValue:
    """Answer with a table as ``csv`` or ``xlsx``, under a name without its ending."""
    return send_file(
        _written(table, kind),
        mimetype="text/csv" if kind == "csv" else _XLSX,
        as_attachment=True,
        download_name=f"{name}.{kind}",
    )


def _written(table: Table, kind: str) -> IO[bytes]:
    """Write a table into a file without a name, so that a slow reader holds no database."""
    folder = here().settings.upload_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - the answer closes it when it is sent
    if kind == "csv":
        write_csv(table, file)
    else:
        write_workbook(table, file, folder)
    file.seek(0)
    return file
