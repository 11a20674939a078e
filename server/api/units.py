"""The tree, the clusters and what they play."""

from apiflask import APIBlueprint

from server.api.schemas.clusters import (
    ClusterAnswer,
    ClusterList,
    SpanAnswer,
    Timeline,
    TimelineQuery,
)
from server.api.schemas.units import UnitAnswer, UnitList
from server.domain.authority import Action, demand, may
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading
from server.services import monitoring, scheduling, units


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/units")
    @api.output(UnitList)
    @api.doc(summary="The administrative tree as it is today")
    def list_units() -> UnitList:
        with reading() as db:
            tree = units.tree(db, today=local_day(now()))
        return UnitList(units=[UnitAnswer.model_validate(unit) for unit in tree.units.values()])

    @api.get("/clusters")
    @api.output(ClusterList)
    @api.doc(summary="Clusters that the caller may see, and their state")
    def list_clusters() -> ClusterList:
        person, instant = actor(), now()
        with reading() as db:
            tree = units.tree(db, today=local_day(instant))
            states = monitoring.overview(db, now=instant, units=tree)
        return ClusterList(
            clusters=[
                ClusterAnswer.model_validate(state)
                for state in states
                if may(person, Action.VIEW, tree.chain(state.unit_id))
            ]
        )

    @api.get("/timeline")
    @api.input(TimelineQuery, location="query", arg_name="query")
    @api.output(Timeline)
    @api.doc(summary="What one cluster plays on one local day", responses=[403, 404])
    def timeline(query: TimelineQuery) -> Timeline:
        instant = now()
        with reading() as db:
            tree = units.tree(db, today=local_day(instant))
            demand(actor(), Action.VIEW, tree.chain_of_cluster(query.cluster_id))
            spans = scheduling.day_timeline(
                db, cluster_id=query.cluster_id, day=query.day, now=instant
            )
        return Timeline(spans=[_span(span) for span in spans])


def _span(span: scheduling.TimelineSpan) -> SpanAnswer:
    return SpanAnswer(
        start=span.start,
        end=span.end,
        claim_id=span.claim.claim_id if span.claim else None,
        slot_id=span.slot_id,
        title=span.title,
        unit_name=span.unit_name,
        bulletin_class=span.bulletin_class.value if span.bulletin_class else "",
        losers=[loser.claim_id for loser in span.losers],
    )
