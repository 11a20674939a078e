"""What really sounded, and what was refused."""

from apiflask import APIBlueprint

from server.api.schemas.as_run import (
    AsRunAnswer,
    AsRunList,
    AsRunQuery,
    ChainAnswer,
    ClusterChainsAnswer,
    ProofAnswer,
    RefusalAnswer,
    RefusalList,
)
from server.domain.authority import Action, demand, seen_clusters
from server.domain.record_chains import RecordCheck
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading
from server.services import as_run, record_chains, units
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
                clusters=seen_clusters(person, tree),
                cluster_id=query.cluster_id,
                claim=query.claim_id,
            )
            checks = record_chains.checked(db, rows)
            return AsRunList(records=[_record(row, checks[row.as_run_id]) for row in rows])

    @api.get("/clusters/<cluster_id>/record-chain")
    @api.output(ClusterChainsAnswer)
    @api.doc(
        summary="Whether a cluster's as-run records are whole: none altered, none missing",
        responses=[403, 404],
    )
    def record_chain(cluster_id: str) -> ClusterChainsAnswer:
        instant = now()
        with reading() as db:
            chain = units.tree(db, today=local_day(instant)).chain_of_cluster(cluster_id)
            demand(actor(), Action.VIEW, chain)
            found = record_chains.of_cluster(db, cluster_id)
        return ClusterChainsAnswer(
            cluster_id=cluster_id,
            state=found.state,
            records=found.records,
            missing=found.missing,
            broken=found.broken,
            chains=[ChainAnswer.model_validate(one) for one in found.chains],
        )

    @api.get("/refusals")
    @api.output(RefusalList)
    @api.doc(summary="Messages that were refused, newest first")
    def list_refusals() -> RefusalList:
        person = actor()
        with reading() as db:
            tree = units.tree(db, today=local_day(now()))
            rows = lists.recent_refusals(db, clusters=seen_clusters(person, tree), limit=500)
            return RefusalList(refusals=[RefusalAnswer.model_validate(row) for row in rows])


def _record(row: AsRunRow, check: RecordCheck) -> AsRunAnswer:
    proof = as_run.proof_of(row)
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
        check=check,
        proof=None if proof is None else ProofAnswer.model_validate(proof),
    )
