"""Bulletins: compose, approve, send, and what became of them."""

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from server.api.schemas.bulletins import (
    ActAnswer,
    BulletinAnswer,
    BulletinEdit,
    BulletinList,
    BulletinReport,
    BulletinRequest,
    BulletinStep,
    CopyAnswer,
)
from server.domain.authority import Action, demand, seen_units
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading, writing
from server.http.sending import way
from server.services import bulletin_results, bulletins, sending, units
from server.services.bulletin_results import Line
from server.services.bulletins import NewBulletin
from server.store.models import BulletinRow
from server.store.queries import lists

_RESPONSES = [403, 404, 409, 422]


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.post("/bulletins")
    @api.input(BulletinRequest, arg_name="wanted")
    @api.output(BulletinReport, status_code=201)
    @api.doc(summary="Compose a bulletin", responses=_RESPONSES)
    def compose_bulletin(wanted: BulletinRequest) -> BulletinReport:
        with writing() as db:
            new = NewBulletin(**wanted.model_dump())
            row = bulletins.compose(db, new, now=now(), actor=actor())
            return _report(db, row.bulletin_id)

    @api.get("/bulletins")
    @api.output(BulletinList)
    @api.doc(summary="Bulletins that the caller may see, newest first")
    def list_bulletins() -> BulletinList:
        person = actor()
        with reading() as db:
            tree = units.tree(db, today=local_day(now()))
            rows = lists.recent_bulletins(db, units=seen_units(person, tree), limit=200)
            return BulletinList(bulletins=[bulletin_answer(row) for row in rows])

    @api.get("/bulletins/<bulletin_id>")
    @api.output(BulletinReport)
    @api.doc(summary="A bulletin, and what became of it", responses=[403, 404])
    def show_bulletin(bulletin_id: str) -> BulletinReport:
        with reading() as db:
            return _report(db, bulletin_id)

    @api.put("/bulletins/<bulletin_id>")
    @api.input(BulletinEdit, arg_name="wanted")
    @api.output(BulletinReport)
    @api.doc(summary="Write a bulletin anew; it needs approval again", responses=_RESPONSES)
    def edit_bulletin(bulletin_id: str, wanted: BulletinEdit) -> BulletinReport:
        facts = wanted.model_dump(exclude={"version"})
        with writing() as db:
            row = lists.bulletin(db, bulletin_id)
            new = NewBulletin(request_id=row.request_id, unit_id=row.unit_id, **facts)
            version = wanted.version
            bulletins.edit(db, bulletin_id, new, version=version, now=now(), actor=actor())
            return _report(db, bulletin_id)

    @api.post("/bulletins/<bulletin_id>/submit")
    @api.input(BulletinStep, arg_name="asked")
    @api.output(BulletinReport)
    @api.doc(summary="Ask for approval", responses=_RESPONSES)
    def submit_bulletin(bulletin_id: str, asked: BulletinStep) -> BulletinReport:
        with writing() as db:
            bulletins.submit(db, bulletin_id, version=asked.version, now=now(), actor=actor())
            return _report(db, bulletin_id)

    @api.post("/bulletins/<bulletin_id>/approve")
    @api.input(BulletinStep, arg_name="asked")
    @api.output(BulletinReport)
    @api.doc(summary="Approve somebody else's bulletin", responses=_RESPONSES)
    def approve_bulletin(bulletin_id: str, asked: BulletinStep) -> BulletinReport:
        with writing() as db:
            bulletins.approve(db, bulletin_id, version=asked.version, now=now(), actor=actor())
            return _report(db, bulletin_id)

    @api.post("/bulletins/<bulletin_id>/return")
    @api.input(BulletinStep, arg_name="asked")
    @api.output(BulletinReport)
    @api.doc(summary="Send a bulletin back to its authors, with a reason", responses=_RESPONSES)
    def return_bulletin(bulletin_id: str, asked: BulletinStep) -> BulletinReport:
        with writing() as db:
            bulletins.send_back(
                db,
                bulletin_id,
                version=asked.version,
                reason=asked.reason,
                now=now(),
                actor=actor(),
            )
            return _report(db, bulletin_id)

    @api.post("/bulletins/<bulletin_id>/send")
    @api.input(BulletinStep, arg_name="asked")
    @api.output(BulletinReport)
    @api.doc(summary="Send an approved bulletin to the communes", responses=_RESPONSES)
    def send_bulletin(bulletin_id: str, asked: BulletinStep) -> BulletinReport:
        with writing() as db:
            sending.send(db, bulletin_id, version=asked.version, way=way())
            return _report(db, bulletin_id)

    @api.post("/bulletins/<bulletin_id>/withdraw")
    @api.input(BulletinStep, arg_name="asked")
    @api.output(BulletinReport)
    @api.doc(summary="Call a bulletin back, for good", responses=_RESPONSES)
    def withdraw_bulletin(bulletin_id: str, asked: BulletinStep) -> BulletinReport:
        with writing() as db:
            sending.withdraw(db, bulletin_id, version=asked.version, way=way())
            return _report(db, bulletin_id)


def bulletin_answer(row: BulletinRow) -> BulletinAnswer:
    """Show a bulletin's row."""
    facts = {
        name: getattr(row, name) for name in BulletinAnswer.model_fields if name != "addressed"
    }
    return BulletinAnswer(**facts, addressed=row.addressed["units"])


def _report(db: Session, bulletin_id: str) -> BulletinReport:
    person, instant = actor(), now()
    row = lists.bulletin(db, bulletin_id)
    tree = units.tree(db, today=local_day(instant))
    demand(person, Action.VIEW, tree.chain(row.unit_id))
    report = bulletin_results.report(
        db, row, units=tree, seen=seen_units(person, tree), now=instant
    )
    return BulletinReport(
        bulletin=bulletin_answer(row),
        history=[ActAnswer.model_validate(act) for act in row.acts],
        counts={answer.value: count for answer, count in report.counts.items()},
        clusters=report.clusters,
        sounded=report.sounded,
        communes=[_commune(line) for line in report.lines],
    )


def _commune(line: Line) -> CopyAnswer:
    copy = line.copy
    return CopyAnswer(
        unit_id=line.unit_id,
        unit_name=line.unit_name,
        standing=line.standing.value,
        slot_id=copy.slot_id,
        until=copy.until,
        reason=copy.reason,
        answered_at=copy.answered_at,
        answered_by=copy.answered_by,
        clusters=copy.clusters,
        sounded=copy.sounded,
    )
