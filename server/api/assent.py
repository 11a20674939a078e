"""The rule who has to assent to an announcement."""

from typing import Annotated

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from server.api.schemas.common import Answer, Instant, Request
from server.domain.assent import HOURS, MOST_CLUSTERS, MOST_LINES, TWO, Line
from server.domain.authority import Action, demand, touches
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading, writing
from server.services import assenting, units

Hour = Annotated[int, Field(ge=0, lt=HOURS)]


class LineSchema(Request):
    """What is asked for where an announcement reaches so far; the same hour twice is all day."""

    level: Annotated[int, Field(ge=0, le=9)]
    start_hour: Hour
    end_hour: Hour
    over_clusters: Annotated[int, Field(ge=0, le=MOST_CLUSTERS)]
    persons: Annotated[int, Field(ge=1, le=TWO)]
    factor: bool = False


class AssentRequest(Request):
    """A rule, in the stead of the one that was seen as ``version``."""

    version: Annotated[int, Field(ge=0, le=2**31 - 1)]
    lines: Annotated[list[LineSchema], Field(max_length=MOST_LINES)]


class AssentAnswer(Answer):
    """The rule that binds a unit; version 0: the product's own."""

    unit_id: str
    version: int
    lines: list[LineSchema]
    changed_at: Instant | None
    changed_by: str


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/units/<unit_id>/assent")
    @api.output(AssentAnswer)
    @api.doc(summary="Who has to assent to what reaches a unit", responses=[403, 404])
    def show_assent(unit_id: str) -> AssentAnswer:
        with reading() as db:
            return _told(db, unit_id)

    @api.put("/units/<unit_id>/assent")
    @api.input(AssentRequest, arg_name="wanted")
    @api.output(AssentAnswer)
    @api.doc(summary="Lay down who has to assent", responses=[403, 404, 409, 422])
    def lay_down_assent(unit_id: str, wanted: AssentRequest) -> AssentAnswer:
        lines = [Line(**line.model_dump()) for line in wanted.lines]
        with writing() as db:
            assenting.lay_down(db, unit_id, lines, version=wanted.version, now=now(), actor=actor())
            return _told(db, unit_id)


def _told(db: Session, unit_id: str) -> AssentAnswer:
    tree = units.tree(db, today=local_day(now()))
    if not touches(actor(), unit_id, tree):
        demand(actor(), Action.VIEW, tree.chain(unit_id))
    rule = assenting.rule_of(db, tree, unit_id)
    return AssentAnswer(
        unit_id=rule.unit_id,
        version=rule.version,
        lines=[LineSchema.model_validate(line, from_attributes=True) for line in rule.lines],
        changed_at=rule.changed_at,
        changed_by=rule.changed_by,
    )
