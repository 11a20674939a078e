"""Silence by order: hush, ask to lift, approve, and who has confirmed."""

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from server.api.schemas.hushes import (
    ClusterSilenceAnswer,
    HushAnswer,
    HushList,
    HushRequest,
    HushStatusAnswer,
)
from server.domain.authority import seen_units
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading, writing
from server.services import hush_deliveries, hushing, units
from server.store.models import HushRow


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/hushes")
    @api.output(HushList)
    @api.doc(summary="Silences that last and that the caller may see")
    def list_hushes() -> HushList:
        with reading() as db:
            tree = units.tree(db, today=local_day(now()))
            rows = hushing.lasting(db, seen_units(actor(), tree))
            return HushList(hushes=[HushAnswer.model_validate(row) for row in rows])

    @api.post("/hushes")
    @api.input(HushRequest, arg_name="wanted")
    @api.output(HushStatusAnswer, status_code=201)
    @api.doc(summary="Silence all that is under a unit", responses=[403, 404, 422, 503])
    def hush(wanted: HushRequest) -> HushStatusAnswer:
        new = hushing.NewHush(**wanted.model_dump())
        with writing() as db:
            row = hushing.hush(
                db,
                new,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            return _status(db, row)

    @api.get("/hushes/<hush_id>")
    @api.output(HushStatusAnswer)
    @api.doc(summary="What has become of a silence", responses=[403, 404])
    def show_hush(hush_id: str) -> HushStatusAnswer:
        with reading() as db:
            return _status(db, hushing.find(db, hush_id))

    @api.post("/hushes/<hush_id>/lift-request")
    @api.output(HushStatusAnswer)
    @api.doc(summary="Ask to lift a silence", responses=[403, 404, 422])
    def ask_lift(hush_id: str) -> HushStatusAnswer:
        with writing() as db:
            return _status(db, hushing.ask_lift(db, hush_id, now=now(), actor=actor()))

    @api.post("/hushes/<hush_id>/lift")
    @api.output(HushStatusAnswer)
    @api.doc(
        summary="Lift a silence that somebody else has asked to lift",
        responses=[403, 404, 422, 503],
    )
    def lift(hush_id: str) -> HushStatusAnswer:
        with writing() as db:
            row = hushing.approve_lift(
                db,
                hush_id,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            return _status(db, row)


def _status(db: Session, row: HushRow) -> HushStatusAnswer:
    instant = now()
    tree = units.tree(db, today=local_day(instant))
    status = hush_deliveries.status(db, row, now=instant, actor=actor(), units=tree)
    return HushStatusAnswer(
        hush=HushAnswer.model_validate(row),
        clusters=[ClusterSilenceAnswer.model_validate(line) for line in status.clusters],
        counts={standing.value: number for standing, number in status.counts.items()},
    )
