"""Prepared warnings: list them, fill one, record one in another language."""

from typing import Annotated

from apiflask import APIBlueprint
from pydantic import Field

from server.api.schemas.assets import AssetAnswer
from server.api.schemas.common import Answer, Digest, Id, Request, UnitQuery
from server.domain.authority import Action, demand
from server.domain.filling import LONGEST_VALUE
from server.domain.recurrence import local_day
from server.http import voicing
from server.http.context import actor, here, now, reading, writing
from server.http.pacing import demand_speech
from server.services import configuring, units, warning_sounds

_Language = Annotated[str, Field(max_length=16)]


class WarningSoundRequest(Request):
    """How a warning is filled; slots that are left out are not spoken of."""

    unit_id: Id
    values: Annotated[
        dict[str, Annotated[str, Field(max_length=LONGEST_VALUE)]],
        Field(default_factory=dict, max_length=20),
    ]
    languages: Annotated[
        tuple[_Language, ...],
        Field(max_length=10, description="Said again in these, from recordings."),
    ] = ()


class RecordingRequest(Request):
    """A file that is a warning in another language."""

    unit_id: Id
    asset_digest: Digest


class WarningSlotAnswer(Answer):
    """Something that can be filled in."""

    name: str
    vi: str
    en: str
    example: str


class WarningAnswer(Answer):
    """A prepared warning as a unit has it; ``is_kept``: its nodes have what it says every time."""

    code: str
    title_vi: str
    title_en: str
    bulletin_class: str
    severity: int
    mode: str
    before: str
    after: str
    slots: list[WarningSlotAnswer]
    is_kept: bool
    recordings: dict[str, str]


class WarningList(Answer):
    """Prepared warnings."""

    warnings: list[WarningAnswer]


class PieceAnswer(Answer):
    """A stretch of a warning's sound, in its order."""

    text: str
    language: str
    is_fixed: bool


class WarningSoundAnswer(Answer):
    """A warning as sound, ready to be heard and sent."""

    asset: AssetAnswer
    pieces: list[PieceAnswer]


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/warnings")
    @api.input(UnitQuery, location="query", arg_name="query")
    @api.output(WarningList)
    @api.doc(summary="Prepared warnings as a unit has them", responses=[403, 404])
    def list_warnings(query: UnitQuery) -> WarningList:
        with reading() as db:
            chain = units.tree(db, today=local_day(now())).chain(query.unit_id)
            demand(actor(), Action.VIEW, chain)
            shown = warning_sounds.shown(
                db, query.unit_id, engine=here().engines[0].name, now=now()
            )
        return WarningList(warnings=[_told(one) for one in shown])

    @api.post("/warnings/<code>/sounds")
    @api.input(WarningSoundRequest, arg_name="wanted")
    @api.output(WarningSoundAnswer, status_code=201)
    @api.doc(summary="Fill a warning and make its sound", responses=[403, 404, 422, 503])
    def make_sound(code: str, wanted: WarningSoundRequest) -> WarningSoundAnswer:
        demand_speech()
        made = voicing.warn(
            voicing.booth(),
            warning_sounds.Wanted(wanted.unit_id, code, wanted.values, wanted.languages),
        )
        return WarningSoundAnswer(
            asset=AssetAnswer.model_validate(made.row),
            pieces=[PieceAnswer.model_validate(piece) for piece in made.pieces],
        )

    @api.post("/warnings/<code>/preparation")
    @api.input(UnitQuery, arg_name="wanted")
    @api.output({}, status_code=204)
    @api.doc(
        summary="Have a unit's nodes keep what a warning says every time",
        responses=[403, 404, 503],
    )
    def prepare(code: str, wanted: UnitQuery) -> str:
        voicing.prepare(voicing.booth(), wanted.unit_id, code)
        _tell_nodes(wanted.unit_id)
        return ""

    @api.put("/warnings/<code>/recordings/<language>")
    @api.input(RecordingRequest, arg_name="wanted")
    @api.output({}, status_code=204)
    @api.doc(summary="Use a file as a warning in another language", responses=[403, 404, 422])
    def record(code: str, language: str, wanted: RecordingRequest) -> str:
        with writing() as db:
            warning_sounds.record(
                db,
                unit_id=wanted.unit_id,
                code=code,
                language=language,
                digest=wanted.asset_digest,
                now=now(),
                actor=actor(),
            )
        _tell_nodes(wanted.unit_id)
        return ""

    @api.delete("/warnings/<code>/recordings/<language>")
    @api.input(UnitQuery, location="query", arg_name="query")
    @api.output({}, status_code=204)
    @api.doc(summary="Take a unit's own recording away", responses=[403, 404])
    def forget(code: str, language: str, query: UnitQuery) -> str:
        with writing() as db:
            warning_sounds.forget(
                db,
                unit_id=query.unit_id,
                code=code,
                language=language,
                now=now(),
                actor=actor(),
            )
        return ""


def _tell_nodes(unit_id: str) -> None:
    """Let nodes begin to fetch at once what they are to keep, long before it is wanted."""
    with writing() as db:
        configuring.publish_due_configs(db, now=now(), keyring=here().keyring, under=unit_id)


def _told(one: warning_sounds.Shown) -> WarningAnswer:
    chosen = one.template
    return WarningAnswer(
        code=chosen.code,
        title_vi=chosen.title.vi,
        title_en=chosen.title.en,
        bulletin_class=chosen.bulletin_class,
        severity=chosen.severity,
        mode=chosen.mode,
        before=chosen.before,
        after=chosen.after,
        slots=[WarningSlotAnswer.model_validate(slot) for slot in chosen.slots],
        is_kept=one.is_kept,
        recordings={language: row.digest for language, row in one.recordings.items()},
    )
