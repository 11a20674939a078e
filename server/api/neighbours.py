"""Whose horns overlap, and in which turn each would speak."""

from apiflask import APIBlueprint

from server.api.schemas.neighbours import (
    HornAnswer,
    NearAnswer,
    NeighboursAnswer,
    NeighboursQuery,
    ReachAnswer,
    ReachRequest,
)
from server.http.context import actor, now, reading, writing
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
            return NeighboursAnswer(turn_count=len(set(found.turns.values())), horns=horns)

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
        turn=found.turns[cluster_id],
        reach_m=row.reach_m,
        delay_ms=row.delay_ms,
        near=[
            NearAnswer(cluster_id=other, distance_m=round(metres, 1))
            for other, metres in sorted(found.near[cluster_id].items())
        ],
    )
