"""Reforms of the tree: what one would do, doing it, and those that there are."""

import msgspec
from apiflask import APIBlueprint

from server.api.schemas.common import FindingAnswer
from server.api.schemas.reforms import (
    FateAnswer,
    MoveAnswer,
    ReformAnswer,
    ReformList,
    ReformQuery,
    ReformRequest,
    ReformVerdictAnswer,
    SilencedAnswer,
    SlotFateAnswer,
    UndecidedAnswer,
)
from server.domain.recurrence import local_day
from server.domain.reforms import Proposal
from server.http.context import actor, here, now, reading, writing
from server.http.wording import finding_sentence
from server.services import reforming, units


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.post("/reforms/check")
    @api.input(ReformRequest, arg_name="wanted")
    @api.output(ReformVerdictAnswer)
    @api.doc(summary="Tell what a reform would do; nothing is changed", responses=[403, 404])
    def check_reform(wanted: ReformRequest) -> ReformVerdictAnswer:
        with reading() as db:
            verdict = reforming.examine(
                db, proposal_of(wanted), now=now(), actor=actor(), keyring=here().keyring
            )
        return _answer(verdict)

    @api.post("/reforms")
    @api.input(ReformRequest, arg_name="wanted")
    @api.input(ReformQuery, location="query", arg_name="query")
    @api.output(ReformAnswer, status_code=201)
    @api.doc(summary="Approve a reform", responses=[403, 404, 409, 422, 503])
    def add_reform(wanted: ReformRequest, query: ReformQuery) -> ReformAnswer:
        with writing() as db:
            row, _ = reforming.apply(
                db,
                proposal_of(wanted),
                seen=query.seen,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
            )
            return ReformAnswer.model_validate(row)

    @api.get("/reforms")
    @api.output(ReformList)
    @api.doc(summary="Reforms and drafts under units that the caller administers")
    def list_reforms() -> ReformList:
        with reading() as db:
            tree = units.tree(db, today=local_day(now()))
            rows = reforming.listed(db, actor=actor(), units=tree)
            return ReformList(reforms=[ReformAnswer.model_validate(row) for row in rows])

    @api.post("/reforms/<reform_id>/cancel")
    @api.output(ReformAnswer)
    @api.doc(
        summary="Take the approval of a reform back before its day; it is a draft again",
        responses=[403, 404, 409],
    )
    def cancel_reform(reform_id: str) -> ReformAnswer:
        with writing() as db:
            row = reforming.cancel(db, reform_id, now=now(), actor=actor())
            return ReformAnswer.model_validate(row)

    @api.get("/reforms/<reform_id>")
    @api.output(ReformAnswer)
    @api.doc(summary="One reform or draft", responses=[403, 404])
    def reform(reform_id: str) -> ReformAnswer:
        with reading() as db:
            row = reforming.find(db, reform_id, now=now(), actor=actor())
            return ReformAnswer.model_validate(row)


def proposal_of(wanted: ReformRequest) -> Proposal:
    """Turn what was sent into what the rules work on."""
    return msgspec.convert(wanted.model_dump(mode="json"), Proposal)


def _answer(verdict: reforming.Verdict) -> ReformVerdictAnswer:
    drawing, found = verdict.drawing, verdict.effects
    return ReformVerdictAnswer(
        digest=verdict.digest,
        findings=[
            FindingAnswer(code=one.code, detail=finding_sentence(one), fields=dict(one.fields))
            for one in verdict.findings
        ],
        born=[new.unit_id for new in drawing.born],
        ended=list(drawing.ended),
        clusters=[
            MoveAnswer(ref=one.cluster_id, before=one.before, after=one.after)
            for one in drawing.moves
        ],
        units=[
            MoveAnswer(ref=one.cluster_id, before=one.before, after=one.after)
            for one in drawing.reparented
        ],
        undecided=[UndecidedAnswer.model_validate(one) for one in drawing.undecided],
        slots=[
            SlotFateAnswer(
                slot_id=one.slot.slot_id,
                title=one.slot.title,
                unit_id=one.slot.unit_id,
                to=[passed.unit_id for passed in one.passed],
                lost=sorted(one.lost),
            )
            for one in found.slots
        ],
        silenced=[
            SilencedAnswer(
                slot_id=one.slot.slot_id,
                title=one.slot.title,
                unit_id=one.slot.unit_id,
                hours=list(one.hours),
                clusters=sorted(one.clusters),
            )
            for one in found.silenced
        ],
        hours=[_fate(one.frame_id, one.unit_id, one.to) for one in found.frames],
        people=[_fate(f"{one.username} {one.role}", one.unit_id, one.to) for one in found.grants],
        groups=[_fate(one.group_id, one.unit_id, (one.to,)) for one in found.groups],
        turns=list(found.turns),
        bulletins=[_fate(one.bulletin_id, one.unit_id, one.to) for one in found.letters],
        contacts=[_fate(one.contact_id, one.unit_id, (one.to,)) for one in found.contacts],
        rules=[_fate(one.bulletin_class, one.unit_id, one.to) for one in found.rules],
        files=[_fate(one.digest, one.unit_id, (one.to,)) for one in found.assets],
    )


def _fate(ref: str, unit_id: str, to: tuple[str, ...]) -> FateAnswer:
    return FateAnswer(ref=ref, unit_id=unit_id, to=[one for one in to if one])
