"""The desk: its rows, changes by hand, copies, and why a cluster sounds what it does."""

from datetime import time

import msgspec
from apiflask import APIBlueprint
from flask import Response
from sqlalchemy.orm import Session

from server.api.schemas.desk import (
    ChangeAnswer,
    CopyAnswer,
    CopyLineAnswer,
    CopyRequest,
    DeskAnswer,
    DeskClustersQuery,
    DeskQuery,
    HeardRowsAnswer,
    MoveRequest,
    WhyAbsentAnswer,
    WhyAnswer,
    WhyLoserAnswer,
    WhyOtherTurnAnswer,
    WhyQuery,
    WithdrawalRequest,
)
from server.http.change_words import change_sentence
from server.http.context import actor, here, now, reading, writing
from server.http.offering import ways_out_of_move
from server.http.why_words import absence_sentence, why_sentence
from server.http.wording import finding_sentence
from server.services import copies, desk, desk_changes, heard_rows, why
from server.services.slot_hand import Hand
from server.services.slot_moves import Move, Scope
from server.store.models import SlotChangeRow


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""
    _add_questions(api)
    _add_changes(api)

    @api.post("/desk/copies")
    @api.input(CopyRequest, arg_name="wanted")
    @api.output(CopyAnswer)
    @api.doc(summary="Copy a day or a week of a unit, or see what would come", responses=[403, 409])
    def copy_days(wanted: CopyRequest) -> CopyAnswer:
        wish = copies.Wish(
            wanted.unit_id,
            wanted.first,
            wanted.days,
            wanted.to_days,
            wanted.to_units,
            copies.CopyReach(wanted.reach),
        )
        if wanted.dry_run:
            with reading() as db:
                return _copied(0, copies.draft(db, wish, actor=actor(), now=now()))
        with writing() as db:
            return _copied(*copies.copy(_hand(db), wish, only_free=wanted.only_free))


def _add_questions(api: APIBlueprint) -> None:
    @api.get("/desk")
    @api.input(DeskQuery, location="query", arg_name="query")
    @api.output(DeskAnswer)
    @api.doc(summary="Slots of some units over some days, and whose time it is", responses=[403])
    def desk_rows(query: DeskQuery) -> Response:
        with reading() as db:
            found = desk.feed(
                db,
                query.unit_ids,
                start=query.start,
                until=query.until,
                actor=actor(),
                now=now(),
            )
        # Ten thousand slots: checked by the test of the description, not one by one.
        return Response(msgspec.json.encode(found), mimetype="application/json")

    @api.get("/desk/clusters")
    @api.input(DeskClustersQuery, location="query", arg_name="query")
    @api.output(HeardRowsAnswer)
    @api.doc(summary="What the clusters of one unit will sound over some days", responses=[403])
    def desk_clusters(query: DeskClustersQuery) -> HeardRowsAnswer:
        with reading() as db:
            found = heard_rows.heard_rows(
                db,
                query.unit_id,
                start=query.start,
                until=query.until,
                actor=actor(),
                now=now(),
            )
        return HeardRowsAnswer.model_validate({"clusters": found})

    @api.get("/clusters/<cluster_id>/why")
    @api.input(WhyQuery, location="query", arg_name="query")
    @api.output(WhyAnswer)
    @api.doc(summary="Why a cluster sounds what it does at an instant", responses=[403, 404])
    def why_at(cluster_id: str, query: WhyQuery) -> WhyAnswer:
        with reading() as db:
            said = why.answer(db, cluster_id, at=query.at, actor=actor(), now=now())
        return _why(said)


def _add_changes(api: APIBlueprint) -> None:
    @api.post("/desk/moves")
    @api.input(MoveRequest, arg_name="wanted")
    @api.output(ChangeAnswer)
    @api.doc(summary="Move or stretch a slot on one day, from one on, or all", responses=[403, 409])
    def move_days(wanted: MoveRequest) -> ChangeAnswer:
        minutes, seconds = divmod(wanted.start_s, 60)
        change = Move(
            Scope(wanted.scope),
            wanted.day,
            wanted.to_day,
            time(minutes // 60, minutes % 60, seconds),
            wanted.length_s,
            wanted.excluded_days,
            wanted.override,
        )
        offers = ways_out_of_move(wanted.slot_id, change, wanted.version)
        with offers, writing() as db:
            row = desk_changes.move(_hand(db), wanted.slot_id, change, version=wanted.version)
            return _changed(db, row)

    @api.post("/desk/withdrawals")
    @api.input(WithdrawalRequest, arg_name="wanted")
    @api.output(ChangeAnswer)
    @api.doc(summary="Withdraw a slot on one day, from one on, or all", responses=[403, 409])
    def withdraw_days(wanted: WithdrawalRequest) -> ChangeAnswer:
        with writing() as db:
            row = desk_changes.withdraw(
                _hand(db), wanted.slot_id, Scope(wanted.scope), wanted.day, version=wanted.version
            )
            return _changed(db, row)

    @api.post("/desk/undo")
    @api.output(ChangeAnswer)
    @api.doc(summary="Take back the caller's last change at the desk", responses=[409, 422])
    def undo_change() -> ChangeAnswer:
        with writing() as db:
            return _changed(db, desk_changes.undo(_hand(db)))

    @api.post("/desk/redo")
    @api.output(ChangeAnswer)
    @api.doc(summary="Do again what the caller took back last", responses=[409, 422])
    def redo_change() -> ChangeAnswer:
        with writing() as db:
            return _changed(db, desk_changes.redo(_hand(db)))


def _hand(db: Session) -> Hand:
    return Hand(db, now(), actor(), here().keyring, here().settings.plan_days)


def _changed(db: Session, row: SlotChangeRow) -> ChangeAnswer:
    db.flush()  # the change gets its number
    return ChangeAnswer(
        change_id=row.change_id,
        kind=row.kind,
        sentence=change_sentence(row),
        undoable=row.undone_at is None,
    )


def _copied(made: int, said: copies.Draft) -> CopyAnswer:
    return CopyAnswer(
        made=made,
        free=said.free,
        there=said.there,
        lines=[
            CopyLineAnswer(
                unit_id=line.slot.unit_id,
                title=line.slot.title,
                day=line.slot.first_day,
                start=line.slot.local_start.isoformat(),
                clusters=sorted(line.clusters),
                findings=[found.code for found in line.findings],
                sentences=[finding_sentence(found) for found in line.findings],
            )
            for line in said.lines
        ],
    )


def _why(said: why.Answer) -> WhyAnswer:
    heard = said.verdict.heard
    return WhyAnswer(
        cluster_id=said.cluster_id,
        at=said.at,
        heard_claim_id=heard.claim_id if heard else None,
        heard_title=heard.title if heard else "",
        owner=said.owner,
        quiet=said.quiet,
        losers=[
            WhyLoserAnswer(
                claim_id=one.claim.claim_id,
                title=one.claim.title,
                unit_id=one.claim.unit,
                bulletin_class=one.claim.bulletin_class.value,
                why=one.why.value,
                sentence=why_sentence(one.why),
            )
            for one in said.verdict.losers
        ],
        absent=[
            WhyAbsentAnswer(
                slot_id=one.slot.slot_id,
                title=one.slot.title,
                unit_id=one.slot.unit_id,
                why=one.why.value,
                sentence=absence_sentence(one.why),
            )
            for one in said.absent
        ],
        other_turns=[
            WhyOtherTurnAnswer(
                slot_id=one.slot.slot_id,
                title=one.slot.title,
                unit_id=one.slot.unit_id,
                start=one.start,
                end=one.end,
            )
            for one in said.other_turns
        ],
        stopped=[claim.claim_id for claim in said.stopped],
    )
