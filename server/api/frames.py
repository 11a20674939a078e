"""Time frames and quiet hours: lay down, list, change, withdraw."""

from apiflask import APIBlueprint

from server.api.schemas.common import UnitQuery
from server.api.schemas.frames import (
    Confirmation,
    FrameAnswer,
    FrameChange,
    FrameList,
    FrameRequest,
)
from server.domain.frames import TimeFrame
from server.http.context import actor, here, now, reading, writing
from server.services import framing
from server.services.planning import frame_value


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.post("/frames")
    @api.input(FrameRequest, arg_name="wanted")
    @api.input(Confirmation, location="query", arg_name="query")
    @api.output(FrameAnswer, status_code=201)
    @api.doc(summary="Lay down a time frame or quiet hours", responses=[403, 404, 409, 422])
    def add_frame(wanted: FrameRequest, query: Confirmation) -> FrameAnswer:
        new = framing.NewFrame(**wanted.model_dump())
        with writing() as db:
            row = framing.add_frame(
                db,
                new,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                confirmed=query.confirmed,
                plan_days=here().settings.plan_days,
            )
            return _answer(frame_value(row))

    @api.put("/frames/<frame_id>")
    @api.input(FrameChange, arg_name="wanted")
    @api.input(Confirmation, location="query", arg_name="query")
    @api.output(FrameAnswer)
    @api.doc(summary="Change a time frame or quiet hours", responses=[403, 404, 409, 422])
    def change_frame(frame_id: str, wanted: FrameChange, query: Confirmation) -> FrameAnswer:
        new = framing.NewFrame(**wanted.model_dump(exclude={"version"}))
        with writing() as db:
            row = framing.change_frame(
                db,
                frame_id,
                new,
                version=wanted.version,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                confirmed=query.confirmed,
                plan_days=here().settings.plan_days,
            )
            return _answer(frame_value(row))

    @api.get("/frames")
    @api.input(UnitQuery, location="query", arg_name="query")
    @api.output(FrameList)
    @api.doc(summary="What holds at one unit: inherited hours and its own", responses=[403, 404])
    def list_frames(query: UnitQuery) -> FrameList:
        with reading() as db:
            found = framing.listed(db, query.unit_id, actor=actor(), now=now())
        return FrameList(frames=[_answer(one.frame) for one in found])

    @api.delete("/frames/<frame_id>")
    @api.input(Confirmation, location="query", arg_name="query")
    @api.output(FrameAnswer)
    @api.doc(summary="Withdraw a time frame or quiet hours", responses=[403, 404, 409])
    def withdraw_frame(frame_id: str, query: Confirmation) -> FrameAnswer:
        with writing() as db:
            row = framing.withdraw_frame(
                db,
                frame_id,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                confirmed=query.confirmed,
                plan_days=here().settings.plan_days,
            )
            return _answer(frame_value(row))


def _answer(frame: TimeFrame) -> FrameAnswer:
    return FrameAnswer(
        frame_id=frame.frame_id,
        unit_id=frame.unit_id,
        kind="quiet" if frame.quiet else "frame",
        weekdays=frame.weekdays,
        local_start=frame.local_start,
        local_end=frame.local_end,
        owner_id=frame.owner_id,
        owner_rank=frame.owner_rank,
        session_limit_s=frame.session_limit_s,
        volume_ceiling_db=frame.volume_ceiling_db,
        legal_reference=frame.legal_reference,
        version=framing.version_of(frame),
    )
