"""A commune's inbox: what was sent to it, its answers, and the order it gives to priority items."""

from collections.abc import Sequence
from dataclasses import asdict

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from server.api.bulletins import bulletin_answer
from server.api.schemas.bulletins import (
    AiringRequest,
    ClashAnswer,
    ClashList,
    ContenderAnswer,
    DeclineRequest,
    LetterAnswer,
    LetterList,
    OrderRequest,
)
from server.domain.authority import Action, demand
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading, writing
from server.http.offering import ways_out_of_airing
from server.services import answers, inbox, ranking, units
from server.services.ranking import Clash

_MOST = 500
_RESPONSES = [403, 404, 409, 422]


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/units/<unit_id>/inbox")
    @api.output(LetterList)
    @api.doc(summary="Bulletins that were sent to a commune", responses=[403, 404])
    def list_letters(unit_id: str) -> LetterList:
        with reading() as db:
            _demand_view(db, unit_id)
            found = inbox.received(db, unit_id, now=now(), limit=_MOST)
            return LetterList(letters=[_letter(one) for one in found])

    @api.post("/units/<unit_id>/inbox/<bulletin_id>/take")
    @api.input(AiringRequest, arg_name="wanted")
    @api.output(LetterAnswer)
    @api.doc(summary="Take a bulletin into a slot of the commune's own", responses=_RESPONSES)
    def take_bulletin(unit_id: str, bulletin_id: str, wanted: AiringRequest) -> LetterAnswer:
        airing = answers.Airing(**wanted.model_dump())
        with ways_out_of_airing(bulletin_id, unit_id, airing), writing() as db:
            answers.take(
                db,
                bulletin_id,
                unit_id,
                airing,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            return _letter(inbox.find(db, bulletin_id, unit_id, now=now()))

    @api.post("/units/<unit_id>/inbox/<bulletin_id>/decline")
    @api.input(DeclineRequest, arg_name="said")
    @api.output(LetterAnswer)
    @api.doc(summary="Decline a bulletin, with a reason", responses=_RESPONSES)
    def decline_bulletin(unit_id: str, bulletin_id: str, said: DeclineRequest) -> LetterAnswer:
        with writing() as db:
            answers.decline(db, bulletin_id, unit_id, reason=said.reason, now=now(), actor=actor())
            return _letter(inbox.find(db, bulletin_id, unit_id, now=now()))

    @api.get("/units/<unit_id>/clashes")
    @api.output(ClashList)
    @api.doc(
        summary="Where a commune's own priority items meet others, soonest first",
        responses=[403, 404],
    )
    def list_clashes(unit_id: str) -> ClashList:
        with reading() as db:
            _demand_view(db, unit_id)
            return _clashes(db, unit_id)

    @api.put("/units/<unit_id>/clashes")
    @api.input(OrderRequest, arg_name="asked")
    @api.output(ClashList)
    @api.doc(summary="Put the contenders of one clash into an order", responses=_RESPONSES)
    def order_clash(unit_id: str, asked: OrderRequest) -> ClashList:
        with writing() as db:
            ranking.order(
                db,
                unit_id,
                asked.wanted,
                seen=asked.seen,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            return _clashes(db, unit_id)


def _demand_view(db: Session, unit_id: str) -> None:
    demand(actor(), Action.VIEW, units.tree(db, today=local_day(now())).chain(unit_id))


def _letter(one: inbox.Received) -> LetterAnswer:
    return LetterAnswer(
        bulletin=bulletin_answer(one.bulletin),
        standing=one.standing.value,
        slot_id=one.copy.slot_id,
        until=one.copy.until,
        reason=one.copy.reason,
        answered_at=one.copy.answered_at,
        answered_by=one.copy.answered_by,
    )


def _clashes(db: Session, unit_id: str) -> ClashList:
    tree = units.tree(db, today=local_day(now()))
    days = here().settings.plan_days
    found: Sequence[Clash] = ranking.clashes_at(db, unit_id, units=tree, now=now(), days=days)
    return ClashList(
        clashes=[
            ClashAnswer(
                is_decided=clash.is_decided,
                contenders=[ContenderAnswer(**asdict(one)) for one in clash.contenders],
            )
            for clash in found
        ]
    )
