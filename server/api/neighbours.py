"""Whose horns overlap, in which turns, and whether they take turns on air."""

from apiflask import APIBlueprint

from server.api.schemas.neighbours import (
    HornAnswer,
    NearAnswer,
    NeighboursAnswer,
    NeighboursQuery,
    ReachAnswer,
    ReachRequest,
    TakeTurnsAnswer,
    TakeTurnsRequest,
    TooShortAnswer,
)
from server.http.context import actor, here, now, reading, writing
from server.services import neighbours
from server.services.neighbours import Overlaps


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/neighbours")
    @api.input(NeighboursQuery, location="query", arg_name="asked")
    @api.output(NeighboursAnswer)
    @api.doc(summary="Which loudspeakers of a unit overlap, and their turns", responses=[403, 422])
    def list_neighbours(asked: NeighboursQuery) -> NeighboursAnswer:
        with reading() as db:
            found = neighbours.overlaps(db, asked.unit_id, now=now(), actor=actor())
            horns = [_horn(found, cluster_id) for cluster_id in sorted(found.near)]
            return NeighboursAnswer(
                turn_count=len(set(found.turns.values())),
                takes_turns=found.takes_turns,
                too_short=[TooShortAnswer.model_validate(one) for one in found.too_short],
                horns=horns,
            )

    @api.put("/units/<unit_id>/turns")
    @api.input(TakeTurnsRequest, arg_name="wanted")
    @api.output(TakeTurnsAnswer)
    @api.doc(summary="Say whether loudspeakers that overlap take turns", responses=[403, 404, 422])
    def take_turns(unit_id: str, wanted: TakeTurnsRequest) -> TakeTurnsAnswer:
        with writing() as db:
            row = neighbours.take_turns(
                db,
                unit_id,
                on=wanted.on,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            return TakeTurnsAnswer(unit_id=row.unit_id, takes_turns=row.takes_turns)

    @api.put("/clusters/<cluster_id>/reach")
    @api.input(ReachRequest, arg_name="wanted")
    @api.output(ReachAnswer)
    @api.doc(summary="Say how far the loudspeakers of a cluster reach", responses=[403, 404, 422])
    def set_reach(cluster_id: str, wanted: ReachRequest) -> ReachAnswer:
        with writing() as db:
            row = neighbours.set_reach(db, cluster_id, wanted.reach_m, now=now(), actor=actor())
            return ReachAnswer(cluster_id=row.cluster_id, reach_m=row.reach_m)


def _horn(found: Overlaps, cluster_id: str) -> HornAnswer:
    row = found.clusters[cluster_id]
    return HornAnswer(
        cluster_id=cluster_id,
        latitude=found.horns[cluster_id].latitude,
        longitude=found.horns[cluster_id].longitude,
        turn=found.turns[cluster_id],
        reach_m=row.reach_m,
        delay_ms=row.delay_ms,
        near=[
            NearAnswer(cluster_id=other, distance_m=round(metres, 1))
            for other, metres in sorted(found.near[cluster_id].items())
        ],
    )
