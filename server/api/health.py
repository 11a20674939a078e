"""Whether this program can do its work; asked by supervisors, so nobody need log in."""

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from server.api.schemas.health import Health
from server.http.context import reading
from server.services import events


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""
    api.get("/health")(api.output(Health)(api.doc(summary="Can it work?", security=[])(health)))


def health() -> ResponseReturnValue:
    """Look into the database."""
    try:
        with reading() as db:
            events.newest(db)
    except SQLAlchemyError:
        return Health(status="failing", database="unreachable").model_dump(), 503
    return Health(status="ok", database="ok").model_dump()
