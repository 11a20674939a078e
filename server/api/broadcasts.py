"""Announcements: make one, watch it, stop it."""

from datetime import timedelta

from apiflask import APIBlueprint
from flask import Response
from sqlalchemy.orm import Session

from server.api.schemas.broadcasts import (
    BroadcastAnswer,
    BroadcastList,
    BroadcastRequest,
    BroadcastStatusAnswer,
    DeliveryAnswer,
    EscalationRule,
)
from server.api.told import alerts_of
from server.api.waiting import told
from server.domain.assent import Missing
from server.domain.authority import Action, demand, seen_units
from server.domain.errors import Finding, SecondFactorNeededError, SecondPersonNeededError
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading, writing
from server.http.drilling import make_labels
from server.http.proving import proof, prove
from server.services import monitoring, units, waiting
from server.services.assenting import Proof
from server.services.broadcast_requests import NewBroadcast
from server.store.models import WaitingRow
from server.store.queries import lists


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.post("/broadcasts")
    @api.input(BroadcastRequest, arg_name="wanted")
    @api.output(BroadcastStatusAnswer, status_code=201)
    @api.doc(
        summary="Make an announcement; with `wait`, one that needs a second person waits (202)",
        responses={202: "It waits for a second person.", 403: "", 404: "", 422: "", 429: ""},
    )
    def announce(wanted: BroadcastRequest) -> BroadcastStatusAnswer | Response:
        try:
            return _announced(wanted, proof(prefers_other=wanted.wait and not wanted.code))
        except SecondFactorNeededError:
            if not wanted.code:
                raise
        # Only now: a code is good once, and what goes without it must not use it up.
        prove(wanted.code)
        return _announced(wanted, proof(is_fresh=True))

    @api.get("/broadcasts")
    @api.output(BroadcastList)
    @api.doc(summary="Announcements that the caller may see, newest first")
    def list_broadcasts() -> BroadcastList:
        person = actor()
        with reading() as db:
            tree = units.tree(db, today=local_day(now()))
            rows = lists.recent_broadcasts(db, units=seen_units(person, tree), limit=200)
            return BroadcastList(broadcasts=[BroadcastAnswer.model_validate(row) for row in rows])

    @api.get("/broadcasts/<broadcast_id>")
    @api.output(BroadcastStatusAnswer)
    @api.doc(summary="What has become of an announcement", responses=[403, 404])
    def show_broadcast(broadcast_id: str) -> BroadcastStatusAnswer:
        with reading() as db:
            return _status(db, broadcast_id)

    @api.post("/broadcasts/<broadcast_id>/stop")
    @api.output(BroadcastStatusAnswer)
    @api.doc(
        summary="Stop an announcement, for good; one that waits is withdrawn (202)",
        responses={202: "It never sounded: it waited for a second person.", 403: "", 404: ""},
    )
    def stop(broadcast_id: str) -> BroadcastStatusAnswer | Response:
        with writing() as db:
            row = waiting.stop(db, broadcast_id, now=now(), actor=actor(), keyring=here().keyring)
            if isinstance(row, WaitingRow):
                return _waits(db, row)
            return _status(db, broadcast_id)


def _announced(wanted: BroadcastRequest, given: Proof) -> BroadcastStatusAnswer | Response:
    new = NewBroadcast(**wanted.model_dump(exclude={"wait", "code"}))
    if new.mode == "drill":
        make_labels(new.unit_id)
    with writing() as db:
        row = waiting.order(
            db,
            new,
            now=now(),
            actor=actor(),
            keyring=here().keyring,
            site=here().settings.address,
            lead=timedelta(seconds=here().settings.lead_s),
            proof=given,
        )
        if isinstance(row, WaitingRow):
            if not wanted.wait:
                raise SecondPersonNeededError([Finding(Missing.PERSON.value)])
            return _waits(db, row)
        return _status(db, row.broadcast_id)


def _waits(db: Session, row: WaitingRow) -> Response:
    body = told(db, row, now()).model_dump_json()
    return Response(body, 202, mimetype="application/json")


def _status(db: Session, broadcast_id: str) -> BroadcastStatusAnswer:
    instant = now()
    status = monitoring.status(db, broadcast_id, now=instant)
    tree = units.tree(db, today=local_day(instant))
    demand(actor(), Action.VIEW, tree.chain(status.broadcast.unit_id))
    return BroadcastStatusAnswer(
        broadcast_id=broadcast_id,
        broadcast=BroadcastAnswer.model_validate(status.broadcast),
        rule=EscalationRule.model_validate(status.rule),
        told=alerts_of(db, broadcast_id),
        clusters=[delivery.cluster_id for delivery in status.deliveries],
        deliveries=[DeliveryAnswer.model_validate(delivery) for delivery in status.deliveries],
        counts=dict(status.counts),
    )
