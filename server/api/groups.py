"""Groups of clusters: list, create, change, forget."""

from apiflask import APIBlueprint

from server.api.schemas.groups import GroupAnswer, GroupChange, GroupList, GroupRequest
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading, writing
from server.services import grouping, units


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/groups")
    @api.output(GroupList)
    @api.doc(summary="Groups with clusters that the caller may see")
    def list_groups() -> GroupList:
        with reading() as db:
            tree = units.tree(db, today=local_day(now()))
            found = grouping.visible(grouping.groups(db), actor(), tree)
        return GroupList(groups=[GroupAnswer.model_validate(one) for one in found])

    @api.post("/groups")
    @api.input(GroupRequest, arg_name="wanted")
    @api.output(GroupAnswer, status_code=201)
    @api.doc(summary="Create a group", responses=[403, 404, 409, 422])
    def create_group(wanted: GroupRequest) -> GroupAnswer:
        with writing() as db:
            group_id = wanted.group_id or grouping.free_id(
                db, unit_id=wanted.unit_id, name=wanted.name
            )
            made = grouping.create_group(
                db,
                group_id=group_id,
                name=wanted.name,
                unit_id=wanted.unit_id,
                clusters=wanted.clusters,
                now=now(),
                actor=actor(),
            )
        return GroupAnswer.model_validate(made)

    @api.put("/groups/<group_id>")
    @api.input(GroupChange, arg_name="wanted")
    @api.output(GroupAnswer)
    @api.doc(summary="Rename a group, or give it other members", responses=[403, 404, 409, 422])
    def change_group(group_id: str, wanted: GroupChange) -> GroupAnswer:
        with writing() as db:
            made = grouping.change_group(
                db,
                group_id,
                name=wanted.name,
                clusters=wanted.clusters,
                version=wanted.version,
                lie_over=wanted.lie_over,
                now=now(),
                actor=actor(),
            )
        return GroupAnswer.model_validate(made)

    @api.delete("/groups/<group_id>")
    @api.output(GroupAnswer)
    @api.doc(summary="Forget a group that no slot targets", responses=[403, 404, 409])
    def delete_group(group_id: str) -> GroupAnswer:
        with writing() as db:
            gone = grouping.delete_group(db, group_id, now=now(), actor=actor())
        return GroupAnswer.model_validate(gone)
