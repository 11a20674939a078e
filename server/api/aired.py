"""Planned against aired."""

from apiflask import APIBlueprint

from server.api.schemas.aired import (
    AiredAnswer,
    AiredDayAnswer,
    AiredQuery,
    AtClusterAnswer,
    ClusterDayAnswer,
    ClusterDayQuery,
    StretchAnswer,
    ToldAnswer,
)
from server.domain.aired import Entry
from server.domain.authority import Action, demand
from server.http.context import actor, now, reading
from server.services import aired
from server.services.units import chain_now_or_then, tree


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/aired")
    @api.input(AiredQuery, location="query", arg_name="query")
    @api.output(AiredDayAnswer)
    @api.doc(summary="Each thing planned for a day, and what became of it", responses=[403, 404])
    def aired_day(query: AiredQuery) -> AiredDayAnswer:
        instant = now()
        with reading() as db:
            chain = chain_now_or_then(db, query.unit_id, day=query.day, now=instant)
            demand(actor(), Action.VIEW, chain)
            found = aired.day_of_unit(db, query.unit_id, day=query.day, now=instant)
        return AiredDayAnswer(
            planned=found.total.planned,
            waiting=found.total.waiting,
            outcomes=dict(found.total.outcomes),
            entries=[
                _entry(entry, is_problem=entry.is_problem(instant))
                for entry in found.entries
                if entry.is_problem(instant) or not query.only_problems
            ],
        )

    @api.get("/aired/cluster")
    @api.input(ClusterDayQuery, location="query", arg_name="query")
    @api.output(ClusterDayAnswer)
    @api.doc(summary="One cluster's day: planned beside heard", responses=[403, 404])
    def aired_cluster(query: ClusterDayQuery) -> ClusterDayAnswer:
        instant = now()
        with reading() as db:
            unit_id = tree(db, today=query.day).chain_of_cluster(query.cluster_id)[-1]
            chain = chain_now_or_then(db, unit_id, day=query.day, now=instant)
            demand(actor(), Action.VIEW, chain)
            found = aired.day_of_cluster(db, query.cluster_id, day=query.day, now=instant)
        return ClusterDayAnswer(entries=[_at(one) for one in found])


def _entry(entry: Entry, *, is_problem: bool) -> AiredAnswer:
    return AiredAnswer(
        claim_id=entry.claim_id,
        kind=entry.kind.value,
        title=entry.title,
        unit_id=entry.unit_id,
        unit_name=entry.unit_name,
        bulletin_class=entry.bulletin_class,
        start=entry.start,
        end=entry.end,
        slot_id=entry.slot_id,
        stopped_at=entry.stopped_at,
        planned=entry.tally.planned,
        waiting=entry.tally.waiting,
        outcomes=dict(entry.tally.outcomes),
        reasons=[ToldAnswer.model_validate(told) for told in entry.tally.reasons],
        problem=is_problem,
    )


def _at(one: aired.AtCluster) -> AtClusterAnswer:
    return AtClusterAnswer(
        claim_id=one.entry.claim_id,
        kind=one.entry.kind.value,
        title=one.entry.title,
        unit_id=one.entry.unit_id,
        start=one.entry.start,
        end=one.entry.end,
        outcome=one.outcome,
        reason=one.reason,
        heard=[StretchAnswer(start=start, end=end) for start, end in one.heard],
    )
