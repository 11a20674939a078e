"""The page of an announcement's record, and the record as a file."""

from io import BytesIO

from flask import Blueprint, render_template, send_file
from flask.typing import ResponseReturnValue

from server.http.context import actor, now, reading
from server.services import dossiers
from server.services.dossiers import Dossier
from server.web.dossiers import words
from server.web.dossiers.presenters import lanes
from server.web.dossiers.sheets import dossier_tables
from server.web.exports.sending import sent_sheet
from server.web.live.presenters import loudness_words

pages = Blueprint("dossiers", __name__)


@pages.get("/broadcasts/<broadcast_id>/record")
def record(broadcast_id: str) -> ResponseReturnValue:
    """Show everything that is known of an announcement."""
    found = _found(broadcast_id)
    return render_template(
        "dossiers/dossier.html",
        found=found,
        broadcast=found.broadcast,
        lanes=lanes(found),
        loudness=loudness_words(found.broadcast.gain_db),
        named=words,
        pieces=words.piece_words(found),
    )


@pages.get("/broadcasts/<broadcast_id>/record.pdf")
def paper(broadcast_id: str) -> ResponseReturnValue:
    """Give the record as a PDF file."""
    # What draws paper takes a second to load: no start of the pages has to wait for it.
    from server.web.dossiers.paper import dossier_paper  # noqa: PLC0415 - see above

    found = _found(broadcast_id)
    return send_file(
        BytesIO(dossier_paper(found, now=now())),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=f"{_name(found)}.pdf",
    )


@pages.get("/broadcasts/<broadcast_id>/record.<any('csv','xlsx'):kind>")
def sheet(broadcast_id: str, kind: str) -> ResponseReturnValue:
    """Give what was heard where as a table."""
    found = _found(broadcast_id)
    return sent_sheet(dossier_tables(found), kind, _name(found))


def _found(broadcast_id: str) -> Dossier:
    with reading() as db:
        return dossiers.dossier(db, broadcast_id, now=now(), actor=actor())


def _name(found: Dossier) -> str:
    return f"bien-ban_{found.broadcast.broadcast_id}"
