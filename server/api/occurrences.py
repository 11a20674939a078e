"""When the slots of a unit come."""

from typing import Annotated

from apiflask import APIBlueprint
from pydantic import Field

from server.api.schemas.common import Answer, Instant, Moment, Request
from server.domain.slots import claim_id
from server.http.context import actor, now, reading
from server.services import exporting
from server.services.exporting import Whose


class OccurrencesQuery(Request):
    """A stretch of time, and whose slots are meant."""

    since: Annotated[Moment, Field(alias="from")]
    until: Moment
    whose: Whose = Whose.OWN


class OccurrenceAnswer(Answer):
    """One time that a slot comes; its claim is named as in timelines and records."""

    claim_id: str
    slot_id: str
    version: int
    unit_id: str
    title: str
    bulletin_class: str
    start: Instant
    end: Instant


class OccurrenceList(Answer):
    """Occurrences, in order."""

    occurrences: list[OccurrenceAnswer]


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/units/<unit_id>/occurrences")
    @api.input(OccurrencesQuery, location="query", arg_name="query")
    @api.output(OccurrenceList)
    @api.doc(summary="When the slots of a unit come", responses=[403, 404])
    def list_occurrences(unit_id: str, query: OccurrencesQuery) -> OccurrenceList:
        exporting.demand_short(query.since, query.until)
        with reading() as db:
            planned = exporting.planned(db, unit_id, whose=query.whose, now=now(), actor=actor())
        found = exporting.occurrences(planned.slots, query.since, query.until)
        return OccurrenceList(occurrences=[_answer(one) for one in found])


def _answer(one: exporting.PlannedOccurrence) -> OccurrenceAnswer:
    row = one.slot.row
    return OccurrenceAnswer(
        claim_id=claim_id(row.slot_id, one.start),
        slot_id=row.slot_id,
        version=row.version,
        unit_id=row.unit_id,
        title=row.title,
        bulletin_class=row.bulletin_class,
        start=one.start,
        end=one.end,
    )
