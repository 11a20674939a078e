"""Which clusters hold which plans, and which have taken over a late edit."""

from apiflask import APIBlueprint

from server.api.schemas.common import UnitQuery
from server.api.schemas.plans import PlansAnswer, TakenOver, TakenOverAnswer, TakenOverQuery
from server.domain.authority import Action, demand
from server.domain.plan_versions import TakeOver
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading
from server.services import plan_states, units


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/plans")
    @api.input(UnitQuery, location="query", arg_name="query")
    @api.output(PlansAnswer)
    @api.doc(summary="Plans that the clusters under a unit go by, and who holds which")
    def plans(query: UnitQuery) -> PlansAnswer:
        instant = now()
        with reading() as db:
            tree = units.tree(db, today=local_day(instant))
            demand(actor(), Action.VIEW, tree.chain(query.unit_id))
            view = plan_states.plans_in_view(db, query.unit_id, now=instant, units=tree)
        return PlansAnswer.model_validate(view)

    @api.get("/slots/<slot_id>/taken-over")
    @api.input(TakenOverQuery, location="query", arg_name="query")
    @api.output(TakenOver)
    @api.doc(summary="Which clusters have taken over an edit of a slot", responses=[403, 404])
    def taken_over(slot_id: str, query: TakenOverQuery) -> TakenOver:
        instant = now()
        with reading() as db:
            tree = units.tree(db, today=local_day(instant))
            edit = plan_states.late_edit(
                db,
                slot_id,
                version=query.version,
                begins=query.begins,
                now=instant,
                units=tree,
            )
            demand(actor(), Action.VIEW, tree.chain(edit.slot.unit_id))
        return TakenOver(
            slot_id=slot_id,
            version=edit.version,
            begins=edit.begins,
            taken=edit.count(TakeOver.TAKEN),
            clusters=[TakenOverAnswer.model_validate(one) for one in edit.clusters],
        )
