"""Announcements that wait for a second person: list, confirm, refuse, withdraw."""

from datetime import datetime, timedelta

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from server.api.schemas.broadcasts import WaitingAnswer, WaitingList, WaitingRefusal
from server.api.told import alerts_of
from server.domain.errors import UnknownThingError
from server.domain.recurrence import local_day
from server.domain.waiting import state_at
from server.http.context import actor, here, now, reading, writing
from server.services import units, waiting
from server.store.models import WaitingRow


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/waiting-broadcasts")
    @api.output(WaitingList)
    @api.doc(summary="Announcements that wait for a second person and that the caller may see")
    def list_waiting() -> WaitingList:
        instant, person = now(), actor()
        with reading() as db:
            tree = units.tree(db, today=local_day(instant))
            rows = waiting.open_ones(db, now=instant)
            seen = [row for row in rows if waiting.may_see(row, tree, person)]
            return WaitingList(waiting=[told(db, row, instant) for row in seen])

    @api.get("/waiting-broadcasts/<broadcast_id>")
    @api.output(WaitingAnswer)
    @api.doc(summary="Where an announcement stands that needs a second person", responses=[404])
    def show_waiting(broadcast_id: str) -> WaitingAnswer:
        with reading() as db:
            row = waiting.find(db, broadcast_id)
            tree = units.tree(db, today=local_day(now()))
            if row is None or not waiting.may_see(row, tree, actor()):
                raise UnknownThingError("broadcast", broadcast_id)
            return told(db, row, now())

    @api.post("/waiting-broadcasts/<broadcast_id>/confirm")
    @api.output(WaitingAnswer)
    @api.doc(summary="Confirm what somebody else has asked for", responses=[403, 404, 422])
    def confirm_waiting(broadcast_id: str) -> WaitingAnswer:
        with writing() as db:
            waiting.confirm(
                db,
                broadcast_id,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                lead=timedelta(seconds=here().settings.lead_s),
            )
            return told(db, db.get_one(WaitingRow, broadcast_id), now())

    @api.post("/waiting-broadcasts/<broadcast_id>/refuse")
    @api.input(WaitingRefusal, arg_name="said")
    @api.output(WaitingAnswer)
    @api.doc(summary="Refuse what somebody else has asked for", responses=[403, 404, 422])
    def refuse_waiting(broadcast_id: str, said: WaitingRefusal) -> WaitingAnswer:
        with writing() as db:
            row = waiting.refuse(db, broadcast_id, said.reason, now=now(), actor=actor())
            return told(db, row, now())

    @api.post("/waiting-broadcasts/<broadcast_id>/withdraw")
    @api.output(WaitingAnswer)
    @api.doc(summary="Withdraw what waits", responses=[403, 404, 422])
    def withdraw_waiting(broadcast_id: str) -> WaitingAnswer:
        with writing() as db:
            row = waiting.withdraw(db, broadcast_id, now=now(), actor=actor())
            return told(db, row, now())


def told(db: Session, row: WaitingRow, instant: datetime) -> WaitingAnswer:
    """Tell a program where one stands."""
    wanted = waiting.wanted_of(row)
    return WaitingAnswer(
        broadcast_id=row.broadcast_id,
        request_id=row.request_id,
        unit_id=row.unit_id,
        cover_id=row.cover_id,
        state=state_at(row.state, row.ends_at, instant).value,
        title=wanted.title,
        bulletin_class=wanted.bulletin_class,
        mode=wanted.mode,
        clusters=row.clusters,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        ends_at=row.ends_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=row.reason,
        told=alerts_of(db, row.broadcast_id),
    )
