"""Slots: add, list, show, change, withdraw."""

import dataclasses
from datetime import datetime

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from server.api.schemas.common import UnitQuery
from server.api.schemas.slots import SlotAnswer, SlotChange, SlotList, SlotRequest, SlotSaved
from server.domain.authority import Action, demand
from server.domain.errors import UnknownThingError
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading, writing
from server.http.offering import ways_out
from server.services import plan_states, scheduling, units
from server.store.models import SlotRow
from server.store.queries import lists


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.post("/slots")
    @api.input(SlotRequest, arg_name="wanted")
    @api.output(SlotSaved, status_code=201)
    @api.doc(summary="Add a slot", responses=[403, 404, 409, 422])
    def add_slot(wanted: SlotRequest) -> SlotSaved:
        new = scheduling.NewSlot(**wanted.model_dump())
        with ways_out(new), writing() as db:
            row = scheduling.add_slot(
                db,
                new,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            return _saved(db, row)

    @api.get("/slots")
    @api.input(UnitQuery, location="query", arg_name="query")
    @api.output(SlotList)
    @api.doc(summary="Slots of one unit that are not withdrawn")
    def list_slots(query: UnitQuery) -> SlotList:
        with reading() as db:
            chain = units.tree(db, today=local_day(now())).chain(query.unit_id)
            demand(actor(), Action.VIEW, chain)
            rows = lists.slots_of(db, query.unit_id)
            return SlotList(slots=[_answer(row) for row in rows])

    @api.get("/slots/<slot_id>")
    @api.output(SlotAnswer)
    @api.doc(summary="One slot", responses=[403, 404])
    def show_slot(slot_id: str) -> SlotAnswer:
        with reading() as db:
            row = lists.slot(db, slot_id)
            if row is None:
                raise UnknownThingError("slot", slot_id)
            demand(actor(), Action.VIEW, units.tree(db, today=local_day(now())).chain(row.unit_id))
            return _answer(row)

    @api.put("/slots/<slot_id>")
    @api.input(SlotChange, arg_name="wanted")
    @api.output(SlotSaved)
    @api.doc(summary="Change a slot", responses=[403, 404, 409, 422])
    def change_slot(slot_id: str, wanted: SlotChange) -> SlotSaved:
        new = scheduling.NewSlot(**wanted.model_dump(exclude={"version"}))
        with ways_out(new, slot_id), writing() as db:
            known = lists.slot(db, slot_id)
            before = None if known is None else plan_states.at_stake(known, now())
            row = scheduling.update_slot(
                db,
                slot_id,
                new,
                version=wanted.version,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            return _saved(db, row, before)

    @api.delete("/slots/<slot_id>")
    @api.output(SlotSaved)
    @api.doc(summary="Withdraw a slot", responses=[403, 404])
    def withdraw_slot(slot_id: str) -> SlotSaved:
        with writing() as db:
            row = scheduling.withdraw_slot(
                db,
                slot_id,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            return _saved(db, row)


def _answer(row: SlotRow) -> SlotAnswer:
    return SlotAnswer.model_validate(_facts(row))


def _saved(db: Session, row: SlotRow, before: datetime | None = None) -> SlotSaved:
    """Answer whoever saved it; ``before``: when it began or was about to, as it was before."""
    stakes = (before, plan_states.at_stake(row, now()))
    late = {
        "plan_version": plan_states.newest_version(db, row.unit_id),
        "late_from": min((one for one in stakes if one is not None), default=None),
    }
    return SlotSaved.model_validate(_facts(row) | late)


def _facts(row: SlotRow) -> dict[str, object]:
    asked = dataclasses.asdict(scheduling.as_new(row))
    kept = {
        "slot_id": row.slot_id,
        "version": row.version,
        "duration_s": row.duration_s,
        "last_day": row.last_day,
        "withdrawn_at": row.withdrawn_at,
    }
    return asked | kept
