"""Clusters from a spreadsheet: the template, what a sheet would do, and doing it."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.cluster_import import Verdict
from server.domain.cluster_sheets import SHOWN_OF_A_KIND, SheetRefusedError
from server.http.context import actor, here, now, reading, writing
from server.services import importing, units
from server.services.sheets import read_sheet, template
from server.web.units.presenters import changes

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

pages = Blueprint("units", __name__)


@pages.get("/clusters/import")
def import_clusters() -> ResponseReturnValue:
    """Ask for a sheet; after one was taken in, say so."""
    with reading() as db:
        communes = importing.communes(db, now=now(), actor=actor())
    added, changed = (request.args.get(name, type=int) for name in ("added", "changed"))
    return render_template(
        "units/import.html", communes=len(communes), added=added, changed=changed
    )


@pages.get("/clusters/import/template.xlsx")
def cluster_template() -> ResponseReturnValue:
    """Give the sheet to fill in."""
    with reading() as db:
        communes = importing.communes(db, now=now(), actor=actor())
    name = 'attachment; filename="cum-loa.xlsx"'
    return Response(template(communes), mimetype=_XLSX, headers={"Content-Disposition": name})


@pages.post("/clusters/import")
def examine_clusters() -> ResponseReturnValue:
    """Tell what a sheet would do, and keep it until its sender has agreed."""
    instant, person = now(), actor()
    with reading() as db:
        importing.communes(db, now=instant, actor=person)
    file = request.files.get("sheet")
    content = b"" if file is None else file.read()
    name = ((file.filename if file is not None else None) or "–")[:200]
    try:
        rows = read_sheet(content)
    except SheetRefusedError as refused:
        return _verdict_page(name, Verdict((), (), 0, refused.faults)), 422
    with reading() as db:
        verdict = importing.examine(db, rows, now=instant, actor=person)
    if verdict.faults:
        return _verdict_page(name, verdict), 422
    if verdict.clashes:
        return _verdict_page(name, verdict), 409
    draft = ""
    if verdict.new or verdict.changed:
        with writing() as db:
            draft = importing.keep_draft(db, content, file_name=name, now=instant, actor=person)
    return _verdict_page(name, verdict, draft)


@pages.post("/clusters/import/<draft_id>")
def confirm_clusters(draft_id: str) -> ResponseReturnValue:
    """Take in a sheet that was looked at."""
    try:
        with writing() as db:
            verdict = importing.import_draft(
                db,
                draft_id,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                audio_urls=here().settings.audio_urls,
            )
    except SheetRefusedError as refused:
        return _verdict_page("", Verdict((), (), 0, refused.faults)), 422
    added, changed = len(verdict.new), len(verdict.changed)
    return redirect(url_for("units.import_clusters", added=added, changed=changed), 303)


def _verdict_page(file_name: str, verdict: Verdict, draft: str = "") -> str:
    with reading() as db:
        communes = units.unit_names(db)
    return render_template(
        "units/verdict.html",
        file_name=file_name,
        verdict=verdict,
        draft=draft,
        new=verdict.new[:SHOWN_OF_A_KIND],
        communes=communes,
        changes=changes(verdict),
    )
