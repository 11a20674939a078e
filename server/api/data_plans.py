"""What the SIM of a cluster may use in a month, and what it has used."""

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from server.api.schemas.clusters import DataPlanAnswer, DataPlanRequest, DataUseAnswer
from server.domain.data_plans import DataPlan
from server.http.context import actor, now, reading, writing
from server.services import data_plans, upkeep


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/clusters/<cluster_id>/data-plan")
    @api.output(DataPlanAnswer)
    @api.doc(summary="How the data plan of a cluster's SIM stands", responses=[403, 404])
    def show_data_plan(cluster_id: str) -> DataPlanAnswer:
        with reading() as db:
            upkeep.place(db, cluster_id, now=now(), actor=actor())
            return _answer(db, cluster_id)

    @api.put("/clusters/<cluster_id>/data-plan")
    @api.input(DataPlanRequest, arg_name="wanted")
    @api.output(DataPlanAnswer)
    @api.doc(summary="Say what the SIM of a cluster may use", responses=[403, 404, 422])
    def set_data_plan(cluster_id: str, wanted: DataPlanRequest) -> DataPlanAnswer:
        plan = DataPlan(wanted.monthly_mb, wanted.first_day)
        with writing() as db:
            data_plans.set_plan(db, cluster_id, plan, now=now(), actor=actor())
            return _answer(db, cluster_id)


def _answer(db: Session, cluster_id: str) -> DataPlanAnswer:
    use = data_plans.uses(db, now=now(), only=[cluster_id]).get(cluster_id)
    data = None if use is None else DataUseAnswer.model_validate(use)
    return DataPlanAnswer(cluster_id=cluster_id, data=data)
