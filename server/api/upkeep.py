"""Try and set the loudspeakers of one cluster: orders, and what became of them."""

from apiflask import APIBlueprint

from server.api.schemas.upkeep import UpkeepAnswer, UpkeepList, UpkeepRequest
from server.http.context import actor, now, reading
from server.http.upkeep import give
from server.services import upkeep
from server.services.upkeep import Asked, Order


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/clusters/<cluster_id>/upkeep")
    @api.output(UpkeepList)
    @api.doc(summary="The newest orders to a cluster", responses=[403, 404])
    def list_upkeep(cluster_id: str) -> UpkeepList:
        instant = now()
        with reading() as db:
            upkeep.place(db, cluster_id, now=instant, actor=actor())
            orders = upkeep.recent(db, cluster_id, now=instant)
            return UpkeepList(orders=[_answer(one) for one in orders])

    @api.post("/clusters/<cluster_id>/upkeep")
    @api.input(UpkeepRequest, arg_name="wanted")
    @api.output(UpkeepAnswer, status_code=201)
    @api.doc(
        summary="Sound a test, blink the lamps, restart, or set volume, delay or talk key",
        responses=[403, 404, 422, 429, 503],
    )
    def order_upkeep(cluster_id: str, wanted: UpkeepRequest) -> UpkeepAnswer:
        return _found(give(Asked(cluster_id, **wanted.model_dump())))

    @api.get("/upkeep/<order_id>")
    @api.output(UpkeepAnswer)
    @api.doc(summary="What has become of an order to a cluster", responses=[403, 404])
    def show_upkeep(order_id: str) -> UpkeepAnswer:
        return _found(order_id)


def _found(order_id: str) -> UpkeepAnswer:
    with reading() as db:
        return _answer(upkeep.find(db, order_id, now=now(), actor=actor()))


def _answer(one: Order) -> UpkeepAnswer:
    row = one.row
    return UpkeepAnswer(
        order_id=row.order_id,
        cluster_id=row.cluster_id,
        node_id=row.node_id,
        deed=row.deed,
        facts=row.facts,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        standing=one.standing.value,
        reason=row.reason,
        received_at=row.received_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
