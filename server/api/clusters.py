"""Villages and clusters out of a spreadsheet."""

from apiflask import APIBlueprint
from werkzeug.datastructures import FileStorage

from server.api.schemas.clusters import (
    ChangedClusterAnswer,
    NewClusterAnswer,
    SheetFaultsAnswer,
    SheetUpload,
    SheetVerdictAnswer,
)
from server.api.schemas.common import FindingAnswer
from server.domain.cluster_import import Change, Verdict
from server.domain.cluster_sheets import Faults
from server.domain.errors import Finding
from server.http.context import actor, here, now, reading, writing
from server.http.wording import finding_sentence
from server.services import importing
from server.services.sheets import Rows, read_sheet

MOST_LISTED = 100


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.post("/clusters/import")
    @api.input(SheetUpload, location="form_and_files", arg_name="upload")
    @api.output(SheetVerdictAnswer)
    @api.doc(
        summary="Add and change clusters as a sheet (XLSX or CSV) says: all of it, or nothing",
        responses=[403, 409, 413, 422],
    )
    def import_clusters(upload: SheetUpload) -> SheetVerdictAnswer:
        person, instant = actor(), now()
        with reading() as db:
            importing.communes(db, now=instant, actor=person)
        rows = read_sheet(upload.sheet.read())
        if not upload.dry_run:
            return _answer(_taken_in(rows, upload.sheet), dry_run=False)
        with reading() as db:
            verdict = importing.examine(db, rows, now=instant, actor=person)
        return _answer(verdict, dry_run=True)


def _taken_in(rows: Rows, file: FileStorage) -> Verdict:
    with writing() as db:
        return importing.import_clusters(
            db,
            rows,
            file_name=(file.filename or "–")[:200],
            now=now(),
            actor=actor(),
            keyring=here().keyring,
            audio_urls=here().settings.audio_urls,
        )


def _answer(verdict: Verdict, *, dry_run: bool) -> SheetVerdictAnswer:
    return SheetVerdictAnswer(
        dry_run=dry_run,
        new_count=len(verdict.new),
        changed_count=len(verdict.changed),
        same_count=verdict.same,
        fault_count=verdict.fault_count,
        new=[NewClusterAnswer.model_validate(one) for one in verdict.new[:MOST_LISTED]],
        changed=[_changed(one) for one in verdict.changed[:MOST_LISTED]],
        faults=[_faults(kind) for kind in verdict.faults],
        clashes=_told(verdict.clashes),
        columns_passed_over=list(verdict.passed_over),
    )


def _changed(change: Change) -> ChangedClusterAnswer:
    return ChangedClusterAnswer(
        cluster_id=change.after.cluster_id,
        unit_id=change.after.unit_id,
        name=change.after.name,
        columns=[column.value for column in change.columns],
    )


def _faults(kind: Faults) -> SheetFaultsAnswer:
    return SheetFaultsAnswer(
        code=kind.shown[0].code,
        count=kind.count,
        not_shown=kind.not_shown,
        findings=_told(kind.told),
    )


def _told(findings: tuple[Finding, ...]) -> list[FindingAnswer]:
    return [
        FindingAnswer(code=one.code, detail=finding_sentence(one), fields=dict(one.fields))
        for one in findings
    ]
