"""What really sounded, and what was refused."""

from apiflask import APIBlueprint

from server.api.schemas import (
    AsRunAnswer,
    AsRunList,
    AsRunQuery,
    RefusalAnswer,
    RefusalList,
)
from server.domain.authority import Action, may
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.http.context import actor, now, reading
from server.services import as_run, units
from server.store.models import AsRunRow
from server.store.queries import lists


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/as-run")
    @api.input(AsRunQuery, location="query", arg_name="query")
    @api.output(AsRunList)
    @api.doc(summary="Records of what sounded in a stretch of time")
    def list_records(query: AsRunQuery) -> AsRunList:
        person = actor()
        with reading() as db:
            tree = units.tree(db, today=local_day(now()))
            rows = as_run.records(
                db,
                since=query.since,
                until=query.until,
                cluster_id=query.cluster_id,
                claim=query.claim_id,
            )
            return AsRunList(
                records=[
                    _record(row)
                    for row in rows
                    if may(person, Action.VIEW, _place(tree, row.cluster_id))
                ]
            )

    @api.get("/refusals")
    @api.output(RefusalList)
    @api.doc(summary="Messages that were refused, newest first")
    def list_refusals() -> RefusalList:
        person = actor()
        with reading() as db:
            tree = units.tree(db, today=local_day(now()))
            found = lists.recent_refusals(db, limit=500)
            return RefusalList(
                refusals=[
                    RefusalAnswer.model_validate(row)
                    for row, cluster_id in found
                    if may(person, Action.VIEW, _place(tree, cluster_id))
                ]
            )


def _place(tree: Tree, cluster_id: str | None) -> tuple[str, ...]:
    # What belongs to no cluster of today is for those alone who see the whole tree.
    if cluster_id is None or cluster_id not in tree.clusters:
        return tree.roots[:1]
    return tree.chain_of_cluster(cluster_id)


def _record(row: AsRunRow) -> AsRunAnswer:
    return AsRunAnswer(
        claim_id=row.claim_id,
        cluster_id=row.cluster_id,
        unit_id=row.unit_id,
        node_id=row.node_id,
        outcome=row.outcome,
        reason=row.reason,
        start=row.start,
        end=row.end,
        segments=list(row.segments["heard"]),
        source=row.source,
        recorded_at=row.recorded_at,
    )
