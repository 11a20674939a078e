"""JSON for machines, under ``/api/v1``."""

from apiflask import APIBlueprint, APIFlask

from server.api import (
    aired,
    as_run,
    assent,
    assets,
    broadcasts,
    bulletins,
    clusters,
    contacts,
    data_plans,
    desk,
    escalation,
    frames,
    groups,
    health,
    hushes,
    inbox,
    microphones,
    neighbours,
    occurrences,
    plans,
    records,
    reforms,
    simulation,
    slots,
    speech,
    units,
    upkeep,
    waiting,
    warnings,
)

PREFIX = "/api/v1"


def register(app: APIFlask) -> None:
    """Add the API to an application."""
    blueprint = APIBlueprint("api", __name__, url_prefix=PREFIX, tag="Loa Làng")
    for part in (
        assets,
        speech,
        warnings,
        slots,
        simulation,
        desk,
        plans,
        frames,
        groups,
        hushes,
        units,
        clusters,
        upkeep,
        data_plans,
        neighbours,
        occurrences,
        reforms,
        broadcasts,
        records,
        microphones,
        waiting,
        assent,
        escalation,
        contacts,
        bulletins,
        inbox,
        as_run,
        aired,
        health,
    ):
        part.add_to(blueprint)
    app.register_blueprint(blueprint)
